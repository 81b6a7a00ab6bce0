import type { Logger } from '../../base/logger.ts'
import type { Ensemble } from '../membership/ensemble.ts'
import type { Links } from '../ports/links.ts'
import type { Replica } from '../ports/replica.ts'
import type { Standing } from './standing.ts'

/** As the epoch files have them, or will once the disk has caught up. */
export interface Epochs {
  /** The last epoch that was agreed to (LEADERINFO answered). */
  accepted: number
  /** Of the last leader that was synchronised with. */
  current: number
}

/** What leaders and learners are made of. */
export interface RoleParts {
  readonly ensemble: Ensemble
  readonly replica: Replica
  readonly links: Links
  /** The one copy, which the roles write into together with the files. */
  readonly epochs: Epochs
  /** The one copy, as well. */
  readonly standing: Standing
  readonly logger: Logger
}
