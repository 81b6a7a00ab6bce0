import type { Logger } from '../../base/logger.ts'
import type { Membership } from '../membership/membership.ts'
import type { Links } from '../ports/links.ts'
import type { QuorumMetrics } from '../ports/metrics.ts'
import type { Replica } from '../ports/replica.ts'
import type { Epochs } from './epochs.ts'
import type { QuorumSettings } from './quorum-settings.ts'
import type { Standing } from './standing.ts'

/** What leaders and learners are made of. */
export interface RoleParts {
  /** One for all roles of a member; it may change while a role lasts. */
  readonly membership: Membership
  readonly settings: QuorumSettings
  readonly replica: Replica
  readonly links: Links
  /** One for all roles, which write into it together with the files. */
  readonly epochs: Epochs
  /** One for all roles. */
  readonly standing: Standing
  readonly metrics: QuorumMetrics
  readonly logger: Logger
}
