import { EPOCH_MAX, epochOf, formatZxid } from '../data/zxid.ts'
import type { RecoveryRefusal } from './recovery.ts'

/** The two files that a member of an ensemble keeps beside its snapshots (spec 04 §1). */
export type EpochFile = 'acceptedEpoch' | 'currentEpoch'

/** What the files hold; undefined: there is no such file. */
export interface EpochTexts {
  readonly acceptedEpoch: string | undefined
  readonly currentEpoch: string | undefined
  /** currentEpoch.tmp: what was on its way to currentEpoch when the process ended. */
  readonly currentEpochTemporary: string | undefined
}

export interface JudgedEpochs {
  readonly kind: 'judged'
  readonly accepted: number
  readonly current: number
  /** What is to be written before the member takes part in anything, in this order. */
  readonly write: readonly { readonly file: EpochFile; readonly epoch: number }[]
  /** What was made good, a line each, for the log. */
  readonly notes: readonly string[]
}

/**
 * What is read of an epoch file: epochs have seven digits at most.
 * @bound bytes: the rest is not read
 */
export const EPOCH_FILE_BYTES_MAX = 64

/**
 * The number in a file: its first line, decimal, as the original reads it; white space around it is
 * forgiven, since people edit these files. Undefined: damaged, or more than a zxid can hold.
 */
export function parseEpoch(text: string): number | undefined {
  const line = (text.split('\n', 1)[0] ?? '').trim()
  if (!/^[0-9]{1,10}$/.test(line)) return undefined
  const epoch = Number(line)
  return epoch <= EPOCH_MAX ? epoch : undefined
}

/**
 * What the epochs of a member are, from its files and from `lastZxid`, the last that its log or
 * snapshot holds, committed or not.
 *
 * Let a be the accepted epoch, c the current one, and e that of lastZxid. A member agrees to an epoch
 * before it synchronises in it, and its log gets entries of an epoch only by synchronising in this
 * epoch or in a later one. So e <= a and c <= a at any time, and e <= c but for one moment: entries
 * that a DIFF or a SNAP of epoch a has brought are on disk, and currentEpoch is about to become a.
 *
 * What can be made good:
 *
 * - Missing files: there never were any, as on a member that was a standalone server. Both are e, as
 *   in the original. A first start that was interrupted leaves c = e and no a.
 * - c < e <= a: that one moment. If currentEpoch.tmp holds a, it was complete, and c is a: a power
 *   loss may have taken back the renaming after NEWLEADER was acked already. Otherwise it was never
 *   acked, and c is e: the log holds entries of epoch e, so it begins with all that the leader of e
 *   began with, and is that of a member which has followed in e up to lastZxid. (The original refuses
 *   here without a .tmp, and can then not come back from a kill at that moment.)
 * - c damaged, e = a: c is a, as nothing else lies between e and a.
 *
 * What cannot:
 *
 * - c damaged or alone missing, e < a: the member may have acked NEWLEADER of a, or not. With too
 *   large a number it could win an election without the entries that were committed in between; with
 *   too small a number it could help another one to win that does not have them.
 * - a damaged or alone missing: c and e are at most a, but nothing is above it, and a promise that is
 *   forgotten lets two leaders of the same ensemble commit. Larger than necessary it may be, though:
 *   the largest that any member has accepted is safe, and that is what a person can find out.
 * - e > a or c > a: these files do not belong together.
 *
 * A file that has lost digits still holds a number. That is only seen where the order above is broken;
 * but nobody writes these files in place.
 */
export function judgeEpochs(texts: EpochTexts, lastZxid: number): JudgedEpochs | RecoveryRefusal {
  const e = epochOf(lastZxid)
  const accepted = judgeAccepted(texts, e)
  if (typeof accepted !== 'number') return accepted
  const current = judgeCurrent(texts, e, accepted)
  if (typeof current !== 'number') return current
  const write: { file: EpochFile; epoch: number }[] = []
  const notes: string[] = []
  for (const [file, epoch] of [
    ['currentEpoch', current],
    ['acceptedEpoch', accepted],
  ] as const) {
    const text = texts[file]
    if (text !== undefined && parseEpoch(text) === epoch) continue
    write.push({ file, epoch })
    notes.push(
      `${file} ${stateOf(text)}: it is ${epoch}, as the last zxid ${formatZxid(lastZxid)} shows`,
    )
  }
  return { kind: 'judged', accepted, current, write, notes }
}

const stateOf = (text: string | undefined): string => {
  if (text === undefined) return 'is missing'
  return parseEpoch(text) === undefined ? 'is damaged' : `says ${parseEpoch(text)}`
}

function judgeAccepted(
  { acceptedEpoch: text, currentEpoch }: EpochTexts,
  e: number,
): number | RecoveryRefusal {
  if (text === undefined) {
    if (currentEpoch === undefined || parseEpoch(currentEpoch) === e) return e
    const reason = `it is missing, and currentEpoch is not the ${e} of the last zxid, so it had existed`
    return refuse('acceptedEpoch', reason, findAccepted)
  }
  const accepted = parseEpoch(text)
  if (accepted === undefined) return refuse('acceptedEpoch', problemOf(text), findAccepted)
  if (accepted >= e) return accepted
  const reason = `it says ${accepted}, but the log holds txns of epoch ${e}, which must have been accepted`
  return refuse('acceptedEpoch', reason, findAccepted)
}

function judgeCurrent(
  { currentEpoch: text, acceptedEpoch, currentEpochTemporary }: EpochTexts,
  e: number,
  accepted: number,
): number | RecoveryRefusal {
  const current = text === undefined ? undefined : parseEpoch(text)
  if (current !== undefined) {
    if (current > accepted) {
      const reason = `it says ${current}, but only ${accepted} was accepted according to acceptedEpoch`
      return refuse('currentEpoch', reason, restore)
    }
    if (current >= e) return current
    return parseEpoch(currentEpochTemporary ?? '') === accepted ? accepted : e
  }
  // Nothing is between e and a, or there was no file yet.
  if (e === accepted || acceptedEpoch === undefined) return e
  const reason = text === undefined ? 'it is missing' : problemOf(text)
  const doubt = `it must have been from ${e} to ${accepted}, and nothing shows which`
  return refuse('currentEpoch', `${reason}, and ${doubt}`, restore)
}

function problemOf(text: string): string {
  if (text === '') return 'the file is empty'
  const line = (text.split('\n', 1)[0] ?? '').trim()
  return /^[0-9]+$/.test(line)
    ? `the epoch is larger than ${EPOCH_MAX}`
    : 'the file does not hold a number'
}

const orEmpty =
  'or, while the other servers serve clients, empty the data directory of this server (but for ' +
  'myid) so that it copies the state of the leader'
const findAccepted = `write the largest number that acceptedEpoch holds on any server of the ensemble into it, ${orEmpty}`
const restore = `restore the file from before, ${orEmpty}`

function refuse(file: EpochFile, reason: string, remedy: string): RecoveryRefusal {
  return { kind: 'refused', file, offset: undefined, reason, remedy }
}
