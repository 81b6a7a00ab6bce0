import type { RoleParts } from '../../src/quorum/role/role.ts'
import { Standing } from '../../src/quorum/role/standing.ts'
import { makeServerMetrics } from '../../src/server/stats/server-metrics.ts'
import { type EnsembleShape, membershipOf, shortTimes } from './ensemble-shape.ts'
import { FakeLinks } from './fake-links.ts'
import { MemoryReplica } from './memory-replica.ts'
import { silentLogger } from './silent-logger.ts'

export interface TestParts extends RoleParts {
  readonly replica: MemoryReplica
  readonly links: FakeLinks
}

/** What a role of member 1 has: nothing logged, and the epochs that it is said to have. */
export function rolePartsOf(
  shape: EnsembleShape,
  { accepted = 0, current = 0 }: { readonly accepted?: number; readonly current?: number } = {},
): TestParts {
  const membership = membershipOf(1, shape)
  return {
    membership,
    settings: shortTimes,
    replica: new MemoryReplica({ sid: 1, membership }),
    links: new FakeLinks(),
    epochs: { accepted, current },
    standing: new Standing(),
    metrics: makeServerMetrics(),
    logger: silentLogger,
  }
}
