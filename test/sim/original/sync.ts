import { counterOf, epochOf } from '../../../src/data/zxid.ts'
import type { Entry, Replica } from '../../../src/quorum/ports/replica.ts'
import type { QuorumSettings } from '../../../src/quorum/role/quorum-settings.ts'

/** How the original brings a learner up to date: a packet, and what follows it as PROPOSAL and COMMIT. */
export interface OriginalPlan {
  readonly kind: 'diff' | 'trunc' | 'snap'
  /** Of the packet; of a SNAP it is known only when it begins. */
  readonly zxid: number
  readonly entries: readonly Entry[]
  /** What is proposed above this is still to come. */
  readonly cursor: number
}

/**
 * As the original chooses (spec 04 §4). Unlike ours it tells a learner to cut back whenever what that
 * has is above all that is committed here, whatever the epochs; and it reads all of it at once.
 */
export function planAsOriginal(
  peerZxid: number,
  replica: Replica,
  settings: Pick<QuorumSettings, 'forceSnapshotSync'>,
): OriginalPlan {
  const log = replica.committedLog
  const last = replica.lastProcessedZxid
  const committed = [...log.from(0)]
  const minZxid = committed.length === 0 ? last : log.minZxid
  const maxZxid = committed.length === 0 ? last : log.maxZxid
  const snap = { kind: 'snap', zxid: last, entries: [], cursor: last } as const
  if (settings.forceSnapshotSync) return snap
  if (last === peerZxid) return { kind: 'diff', zxid: last, entries: [], cursor: last }
  if (peerZxid > maxZxid && !isNewEpoch(peerZxid))
    return { kind: 'trunc', zxid: maxZxid, entries: [], cursor: maxZxid }
  const queue = new Queue(peerZxid, maxZxid)
  if (peerZxid >= minZxid && peerZxid <= maxZxid) queue.add(committed, undefined)
  else if (peerZxid < minZxid) {
    const history = historyFrom(peerZxid, replica)
    if (history === undefined) return snap
    queue.add(history, minZxid)
    if (queue.end < minZxid) return snap
    queue.add(committed, undefined)
  }
  return queue.plan ?? snap
}

const isNewEpoch = (zxid: number): boolean => zxid >= 0 && counterOf(zxid) === 0

function historyFrom(zxid: number, replica: Replica): Entry[] | undefined {
  const scan = replica.readHistory(zxid, false)
  let feed = scan?.step()
  while (feed === 'more') feed = scan?.step()
  const entries: Entry[] = []
  for (let entry = feed?.next(); entry !== undefined; entry = feed?.next()) {
    if ('problem' in entry) return undefined
    entries.push(entry)
  }
  return feed === undefined ? undefined : entries
}

/** What is queued for one learner, from one list of entries after the other. */
class Queue {
  readonly #peerZxid: number
  readonly #maxZxid: number
  readonly #entries: Entry[] = []
  #head: { readonly kind: 'diff' | 'trunc'; readonly zxid: number } | undefined
  end: number

  constructor(peerZxid: number, maxZxid: number) {
    this.#peerZxid = peerZxid
    this.#maxZxid = maxZxid
    this.end = peerZxid
  }

  add(entries: Iterable<Entry>, limitZxid: number | undefined): void {
    let before = -1
    for (const entry of entries) {
      if (limitZxid !== undefined && entry.zxid > limitZxid) break
      if (entry.zxid < this.#peerZxid) before = entry.zxid
      else {
        if (this.#head === undefined && !this.#begin(entry.zxid, before)) return
        if (entry.zxid <= this.end) continue
        this.#entries.push(entry)
        this.end = entry.zxid
      }
    }
    if (isNewEpoch(this.#peerZxid)) this.#head ??= { kind: 'diff', zxid: this.#maxZxid }
  }

  /** False: in another epoch nobody can tell what the learner lacks. */
  #begin(zxid: number, before: number): boolean {
    if (zxid === this.#peerZxid || isNewEpoch(this.#peerZxid))
      this.#head = { kind: 'diff', zxid: this.#maxZxid }
    else if (epochOf(zxid) === epochOf(this.#peerZxid) && before >= 0)
      this.#head = { kind: 'trunc', zxid: before }
    return this.#head !== undefined
  }

  get plan(): OriginalPlan | undefined {
    return this.#head && { ...this.#head, entries: this.#entries, cursor: this.end }
  }
}
