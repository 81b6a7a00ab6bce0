import type { Logger } from '../../base/logger.ts'
import type { Ensemble } from '../membership/ensemble.ts'
import type { Links } from '../ports/links.ts'
import type { QuorumMetrics } from '../ports/metrics.ts'
import type { Replica } from '../ports/replica.ts'
import type { Epochs } from './epochs.ts'
import type { Standing } from './standing.ts'

/** What leaders and learners are made of. */
export interface RoleParts {
  readonly ensemble: Ensemble
  readonly replica: Replica
  readonly links: Links
  /** The one copy, which the roles write into together with the files. */
  readonly epochs: Epochs
  /** The one copy, as well. */
  readonly standing: Standing
  readonly metrics: QuorumMetrics
  readonly logger: Logger
}
