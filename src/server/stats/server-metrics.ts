import { type Handles, MetricRegistry } from '../../base/metrics.ts'
import {
  connectionMetrics,
  operationMetrics,
  requestMetrics,
  watchMetrics,
} from './client-metrics.ts'
import {
  electionMetrics,
  leaderMetrics,
  learnerMetrics,
  synchronisationMetrics,
} from './ensemble-metrics.ts'
import { runtimeMetrics, storageMetrics } from './storage-metrics.ts'
import { commitMetrics, decisionMetrics, logMetrics } from './write-metrics.ts'

type ServerLines = typeof connectionMetrics &
  typeof requestMetrics &
  typeof operationMetrics &
  typeof watchMetrics &
  typeof decisionMetrics &
  typeof logMetrics &
  typeof commitMetrics &
  typeof storageMetrics &
  typeof electionMetrics &
  typeof synchronisationMetrics &
  typeof leaderMetrics &
  typeof learnerMetrics &
  typeof runtimeMetrics

/**
 * Every metric of a member that is not a gauge, under the original's name, because dashboards and
 * alert rules are written against those. Where our stages differ from the original's processors the
 * nearest stage is meant, and the help says which. What has none is in absent-metrics.ts. Of both
 * docs/metrics.md has tables.
 */
const table = {
  'Connections and sessions': connectionMetrics,
  Requests: requestMetrics,
  Operations: operationMetrics,
  Watches: watchMetrics,
  'From a request to a txn': decisionMetrics,
  'From a txn to the disk': logMetrics,
  'From a commit to the reply': commitMetrics,
  'Snapshots and starts': storageMetrics,
  Elections: electionMetrics,
  Synchronisation: synchronisationMetrics,
  Leader: leaderMetrics,
  Learner: learnerMetrics,
  Runtime: runtimeMetrics,
}

/** One handle for each line of the table, written where the metric counts; and all of them. */
export type ServerMetrics = Handles<ServerLines> & {
  readonly registry: MetricRegistry<ServerLines>
}

export function makeServerMetrics(): ServerMetrics {
  const registry = new MetricRegistry<ServerLines>(table)
  return { ...registry.handles, registry }
}
