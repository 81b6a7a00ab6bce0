import { JuteReader } from 'jute-ts'
import { readTxnDigest, readTxnHeader } from '../../src/data/records.ts'
import { readTxn, type Txn } from '../../src/data/txn.ts'
import { counterOf, epochOf, makeZxid } from '../../src/data/zxid.ts'
import { hex, Violation } from './history.ts'
import type { Restored } from './restores.ts'

const RECORD_PREFIX_BYTES = 12
const RECORD_END_BYTES = 1
const DIGEST_BYTES = 12

/** One txn of the history, decoded. */
export interface LedgerEntry {
  readonly zxid: number
  readonly clientId: bigint
  readonly cxid: number
  readonly time: number
  readonly txn: Txn
  /** Of the state after it, as the leader has foreseen it; undefined: it changes nothing. */
  readonly digest: bigint | undefined
  /** When a member first handed it to its disk, in simulated ms. */
  readonly firstAt: number
}

/** The log of one member, as it has handed it to its disk; and how far it has shown its state. */
export class MemberLog {
  readonly name: string
  readonly #entries = new Map<number, Buffer>()
  exposedTo = 0
  /** Of the newest snapshot that came from a leader: the history up to there is known by that only. */
  base = 0

  constructor(name: string) {
    this.name = name
  }

  get entries(): ReadonlyMap<number, Buffer> {
    return this.#entries
  }

  /** The newest txn that it may have acked. */
  get lastZxid(): number {
    let last = 0
    for (const zxid of this.#entries.keys()) last = Math.max(last, zxid)
    return last
  }

  append(zxid: number, bytes: Buffer): void {
    this.#entries.set(zxid, bytes)
  }

  /** A snapshot from a leader takes the place of what was there, which may have been given up. */
  forget(zxid: number): void {
    this.base = zxid
    for (const one of this.#entries.keys())
      if (one > zxid || one > this.exposedTo) this.#entries.delete(one)
  }

  /** Another database goes on from `to`; what came after `from` is on its way to the disk, and void. */
  leaveOut(from: number, to: number): void {
    for (const one of this.#entries.keys()) if (one > from && one <= to) this.#entries.delete(one)
  }

  truncate(zxid: number): void {
    for (const one of this.#entries.keys()) if (one > zxid) this.#entries.delete(one)
  }
}

interface Exposed {
  readonly bytes: Buffer
  readonly by: string
  readonly at: number
}

/**
 * The one history that there may be. A txn belongs to it as soon as a member that serves clients has
 * shown them a state that holds it: from then on nobody may have another one in its place, and no
 * two members may show different states at the same zxid.
 */
export class Ledger {
  readonly #entries = new Map<number, Exposed>()
  readonly #now: () => number
  readonly #firstAt = new Map<string, number>()
  /** All that was ever handed to a disk, by zxid: the last one of each. */
  readonly #written = new Map<number, Buffer>()
  /** Snapshots that members have served from: what is below belongs to the history, too. */
  readonly #bases = new Set<number>()
  readonly #digests = new Map<number, { readonly digest: bigint; readonly by: string }>()
  readonly #restores: Restored[] = []
  lastZxid = 0

  constructor(now: () => number = () => 0) {
    this.#now = now
  }

  get size(): number {
    return this.#entries.size
  }

  /** In order: what was put in place of the database, and from where on. */
  get restores(): readonly Restored[] {
    return this.#restores
  }

  onRestored(log: MemberLog, restored: Restored): void {
    log.leaveOut(restored.from, restored.zxid)
    this.#restores.push(restored)
  }

  #isVoid(zxid: number): boolean {
    return this.#restores.some(({ from, zxid: to }) => zxid > from && zxid <= to)
  }

  /** `records` as appendTxns has them. */
  onAppend(log: MemberLog, records: Buffer, now: number): void {
    for (let at = 0; at < records.length; ) {
      const end = at + RECORD_PREFIX_BYTES + records.readInt32BE(at + 8)
      const entry = Buffer.from(records.subarray(at + RECORD_PREFIX_BYTES, end))
      at = end + RECORD_END_BYTES
      const zxid = Number(entry.readBigInt64BE(12))
      log.append(zxid, entry)
      this.#written.set(zxid, entry)
      const key = keyOf(zxid, entry)
      if (!this.#firstAt.has(key)) this.#firstAt.set(key, now)
      // A leader may show what a quorum has on disk before it has it on its own.
      if (zxid <= log.exposedTo) this.#expose(log, zxid)
    }
  }

  /** A member that serves has this state at this zxid. */
  onState(name: string, zxid: number, digest: bigint): void {
    const shown = this.#digests.get(zxid)
    if (shown === undefined) this.#digests.set(zxid, { digest, by: name })
    else if (shown.digest !== digest)
      throw new Violation(
        'equal digests at equal zxid',
        `at ${hex(zxid)} ${name} has ${digest}, and ${shown.by} has ${shown.digest}`,
      )
  }

  /** The member has told clients of a state of that zxid. */
  onShown(log: MemberLog, zxid: number): void {
    if (counterOf(log.base) > 0) this.#bases.add(log.base)
    if (zxid <= log.exposedTo) return
    const from = log.exposedTo
    log.exposedTo = zxid
    this.lastZxid = Math.max(this.lastZxid, zxid)
    if (from === 0) for (const one of log.entries.keys()) this.#exposeUpTo(log, one, zxid)
    else this.#exposeRange(log, from, zxid)
  }

  #exposeUpTo(log: MemberLog, zxid: number, last: number): void {
    if (zxid <= last) this.#expose(log, zxid)
  }

  #exposeRange(log: MemberLog, from: number, to: number): void {
    const first = epochOf(from) === epochOf(to) ? from + 1 : makeZxid(epochOf(to), 1)
    for (let zxid = first; zxid <= to; zxid += 1) this.#expose(log, zxid)
    if (epochOf(from) !== epochOf(to))
      for (const one of log.entries.keys()) this.#exposeUpTo(log, one, to)
  }

  #expose(log: MemberLog, zxid: number): void {
    const bytes = log.entries.get(zxid)
    if (bytes === undefined) return
    const known = this.#entries.get(zxid)
    if (known === undefined) this.#entries.set(zxid, { bytes, by: log.name, at: this.#now() })
    else if (!known.bytes.equals(bytes))
      throw new Violation(
        'one committed history',
        `${log.name} has another txn at ${hex(zxid)} than ${known.by} has shown`,
      )
  }

  /** When a member first showed a state that holds it, in simulated ms. */
  shownAt(zxid: number): number {
    return this.#entries.get(zxid)?.at ?? this.#now()
  }

  /** The whole history, in order. Throws where it has a hole. */
  read(): readonly LedgerEntry[] {
    const shown = [...new Set([...this.#entries.keys(), ...this.#bases])].sort((a, b) => a - b)
    const zxids: number[] = []
    let before = 0
    for (const zxid of shown) {
      const first = epochOf(zxid) === epochOf(before) ? before + 1 : makeZxid(epochOf(zxid), 1)
      for (let next = first; next <= zxid; next += 1) {
        if (this.#isVoid(next)) continue
        // Within an epoch there is one txn of a zxid, wherever it was logged.
        const bytes = this.#entries.get(next)?.bytes ?? this.#written.get(next)
        if (bytes === undefined)
          throw new Violation(
            'one committed history',
            `${hex(next)} is missing before ${hex(zxid)}`,
          )
        if (!this.#entries.has(next))
          this.#entries.set(next, { bytes, by: 'somebody', at: this.#now() })
        zxids.push(next)
      }
      before = zxid
    }
    return zxids.map((zxid) => this.#decode(zxid))
  }

  /** Every state that was shown is the one that the history gives at that zxid. */
  checkStates(entries: readonly LedgerEntry[]): void {
    const shown = [...this.#digests].sort(([a], [b]) => a - b)
    const restored = this.#restores.map(({ zxid, backup }) => ({ zxid, digest: backup.digest }))
    const steps = [...entries, ...restored].sort((a, b) => a.zxid - b.zxid)
    let right: Pick<LedgerEntry, 'zxid' | 'digest'> | undefined
    let next = 0
    for (const [zxid, { digest, by }] of shown) {
      for (let step = steps[next]; step !== undefined && step.zxid <= zxid; ) {
        if (step.digest !== undefined) right = step
        next += 1
        step = steps[next]
      }
      if (right !== undefined && right.digest !== digest)
        throw new Violation(
          'equal digests at equal zxid',
          `${by} showed ${digest} at ${hex(zxid)}, and ${hex(right.zxid)} left ${right.digest}`,
        )
    }
  }

  #decode(zxid: number): LedgerEntry {
    const bytes = this.#entries.get(zxid)?.bytes ?? Buffer.alloc(0)
    const r = new JuteReader(bytes)
    const { clientId, cxid, time, type } = readTxnHeader(r)
    const txn = readTxn(r, type)
    if (txn === undefined || !r.ok)
      throw new Violation('one committed history', `the txn at ${hex(zxid)} cannot be read`)
    const digest = r.remaining === DIGEST_BYTES ? readTxnDigest(r).treeDigest : undefined
    const firstAt = this.#firstAt.get(keyOf(zxid, bytes)) ?? 0
    return { zxid, clientId, cxid, time, txn, digest, firstAt }
  }
}

/** The same txn has the same bytes on every member. */
const keyOf = (zxid: number, entry: Buffer): string => `${zxid} ${entry.toString('latin1', 0, 40)}`
