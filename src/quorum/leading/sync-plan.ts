import { counterOf, epochOf } from '../../data/zxid.ts'
import type { CommittedLogView, Entry, HistoryFeed } from '../ports/replica.ts'

/** What the choice depends on (spec 04 §4). */
interface SyncInput {
  /** P: the newest zxid in the learner's log, from ACKEPOCH. */
  readonly peerZxid: number
  /** L: of the tree. */
  readonly lastProcessedZxid: number
  /** Of the log when this leader took over. L is above it where epochs have begun since without a txn. */
  readonly historyEndZxid: number
  readonly committedLog: CommittedLogView
  readonly forceSnapshot: boolean
  /** From the entry at or below that zxid on; undefined: not allowed or not possible. */
  readHistory(fromZxid: number): HistoryFeed | 'more' | undefined
}

/**
 * DIFF and TRUNC with the zxid of the packet; what the learner has then ends at `cursor`, and all
 * that is committed above it follows. SNAP says itself where it ends, once it has begun.
 */
export type SyncPlan =
  | { readonly kind: 'diff' | 'trunc'; readonly zxid: number; readonly cursor: number }
  | { readonly kind: 'snap' }

const SNAP: SyncPlan = { kind: 'snap' }

/**
 * How to bring a learner up to date. TRUNC never crosses an epoch: a learner that had its history
 * as a SNAP may lack the entry that it is told to cut back to, and would keep what comes after it.
 * Later: the log files are still being looked through; to be asked again in the next turn.
 */
export function planSync(input: SyncInput): SyncPlan | 'later' {
  const { peerZxid, lastProcessedZxid, committedLog } = input
  if (input.forceSnapshot) return SNAP
  if (lastProcessedZxid === peerZxid) return { kind: 'diff', zxid: peerZxid, cursor: peerZxid }
  const isEmpty = firstOf(committedLog) === undefined
  // Nothing was committed since; but what a member that has nothing at all lacks is in no log.
  if (isEmpty && peerZxid > 0 && peerZxid === input.historyEndZxid)
    return { kind: 'diff', zxid: peerZxid, cursor: peerZxid }
  const minZxid = isEmpty ? lastProcessedZxid : committedLog.minZxid
  const maxZxid = isEmpty ? lastProcessedZxid : committedLog.maxZxid
  if (peerZxid > maxZxid) {
    if (isNewEpochZxid(peerZxid) || epochOf(peerZxid) !== epochOf(maxZxid)) return SNAP
    return { kind: 'trunc', zxid: maxZxid, cursor: maxZxid }
  }
  if (peerZxid >= minZxid) {
    const plan = planFrom(committedLog.from(minZxid), peerZxid, maxZxid, maxZxid)
    return plan ?? (isNewEpochZxid(peerZxid) ? diff(peerZxid, maxZxid) : SNAP)
  }
  const history = input.readHistory(peerZxid)
  if (history === undefined) return SNAP
  if (history === 'more') return 'later'
  return planFrom(entriesOf(history), peerZxid, minZxid, maxZxid) ?? SNAP
}

/** Of a learner whose log ends where an epoch began: no log ever holds such a zxid. */
const isNewEpochZxid = (zxid: number): boolean => counterOf(zxid) === 0

const diff = (peerZxid: number, maxZxid: number): SyncPlan => ({
  kind: 'diff',
  zxid: maxZxid,
  cursor: peerZxid,
})

/**
 * What the first entry from `peerZxid` on says of the learner's place in these entries, which must
 * begin at or below it. Undefined: there is none up to `limitZxid`.
 */
function planFrom(
  entries: Iterable<Entry>,
  peerZxid: number,
  limitZxid: number,
  maxZxid: number,
): SyncPlan | undefined {
  let before: number | undefined
  for (const { zxid } of entries) {
    if (zxid > limitZxid) return undefined
    if (zxid < peerZxid) {
      before = zxid
      continue
    }
    if (zxid === peerZxid) return diff(peerZxid, maxZxid)
    if (before === undefined) return SNAP
    if (isNewEpochZxid(peerZxid)) return diff(peerZxid, maxZxid)
    // The learner has something that was never committed, or it lacks a part of this history: in
    // another epoch than the next entry's nobody can tell which.
    if (epochOf(zxid) !== epochOf(peerZxid) || epochOf(before) !== epochOf(peerZxid)) return SNAP
    return { kind: 'trunc', zxid: before, cursor: before }
  }
  return undefined
}

/** The oldest entry of the committed log. */
export function firstOf(log: CommittedLogView): Entry | undefined {
  for (const entry of log.from(0)) return entry
  return undefined
}

function* entriesOf(feed: HistoryFeed): IterableIterator<Entry> {
  for (let entry = feed.next(); entry !== undefined; entry = feed.next()) {
    if ('problem' in entry) return
    yield entry
  }
}
