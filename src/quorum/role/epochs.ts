import { assert } from '../../base/assert.ts'
import type { Replica } from '../ports/replica.ts'

/** As the epoch files have them, or will once the disk has caught up. */
export interface Epochs {
  /** The last epoch that was agreed to (LEADERINFO answered). */
  accepted: number
  /** Of the last leader that was synchronised with. */
  current: number
}

/** What holds the epochs of a member: one copy for all its roles, and the files. */
interface EpochKeeper {
  readonly epochs: Epochs
  readonly replica: Replica
}

/**
 * Promises to follow no leader of an earlier epoch. Whoever tells anybody of that waits until it is
 * durable.
 */
export function acceptEpoch({ epochs, replica }: EpochKeeper, epoch: number): void {
  assert(epoch > epochs.accepted, `accepts epoch ${epoch} after ${epochs.accepted}`)
  epochs.accepted = epoch
  replica.writeEpoch('acceptedEpoch', epoch)
}

/** What is in the log from now on is the history of that epoch: what was handed to it before, too. */
export function enterEpoch({ epochs, replica }: EpochKeeper, epoch: number): void {
  assert(epoch >= epochs.current, `enters epoch ${epoch} after ${epochs.current}`)
  assert(epoch === epochs.accepted, `enters epoch ${epoch}, and has accepted ${epochs.accepted}`)
  epochs.current = epoch
  replica.writeEpoch('currentEpoch', epoch)
}
