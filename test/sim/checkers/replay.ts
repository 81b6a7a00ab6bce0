import { Err } from '../../../src/data/error-code.ts'
import { OpCode } from '../../../src/data/op-code.ts'
import type { Txn } from '../../../src/data/txn.ts'
import {
  describeCall,
  type History,
  hex,
  isRead,
  isWrite,
  type Op,
  type Result,
  Violation,
} from '../history.ts'
import type { LedgerEntry } from '../ledger.ts'
import { type Change, type Kept, Model, type Moment, type Outcome } from '../model.ts'
import type { Restored } from '../restores.ts'
import { WritesByTxn } from '../writes-by-txn.ts'

export interface TimedChange extends Change {
  readonly zxid: number
  /** By a restore, which no watch tells of. */
  readonly isUntold?: boolean
}

/** The whole history, told by the model. */
export interface Story {
  readonly model: Model
  /** What watches on a path are to be told of, by path, in order. */
  readonly changes: ReadonlyMap<string, readonly TimedChange[]>
  /** The place of each write that has one. */
  readonly zxidOf: ReadonlyMap<Op, number>
  /** Those that are there as an error only, since their session had moved or ended. */
  readonly refused: ReadonlySet<Op>
  /** More than one may have become the txn at their place: nobody can tell which. */
  readonly vague: ReadonlySet<Op>
  /** Zxids of the txns that began and ended a session. */
  readonly begun: ReadonlyMap<bigint, LedgerEntry>
  readonly closed: ReadonlyMap<bigint, LedgerEntry>
  readonly restores: readonly Restored[]
  /** Sessions that a restored database has not known, and which are over by that. */
  readonly gone: ReadonlySet<bigint>
  /** Containers and TTL nodes that the servers have taken away. */
  readonly reaped: number
  /** Writes that were refused since their session was somewhere else by then. */
  readonly moved: number
}

/**
 * Plays the history on the model, request by request, and compares all that clients were told with
 * what the model says: the outcome of each write where it stands, and of each read at its zxid.
 */
export function replay(
  history: History,
  entries: readonly LedgerEntry[],
  enforcesQuota = false,
  restores: readonly Restored[] = [],
): Story {
  const replayer = new Replayer(history, enforcesQuota, restores)
  for (const entry of entries) replayer.onEntry(entry)
  return replayer.end()
}

const CHECKER = 'a restore is the backup'

class Replayer {
  readonly #model: Model
  readonly #identities = new Map<bigint, string | undefined>()
  readonly #changes = new Map<string, TimedChange[]>()
  readonly #writes = new WritesByTxn()
  readonly #reads: Op[] = []
  readonly #zxidOf = new Map<Op, number>()
  readonly #refused = new Set<Op>()
  readonly #vague = new Set<Op>()
  readonly #begun = new Map<bigint, LedgerEntry>()
  readonly #closed = new Map<bigint, LedgerEntry>()
  readonly #restores: readonly Restored[]
  readonly #gone = new Set<bigint>()
  readonly #steps: Step[]
  /** What backups hold that are restored later. */
  readonly #kept = new Map<number, Kept>()
  #nextRead = 0
  #reaped = 0
  #moved = 0

  constructor(history: History, enforcesQuota: boolean, restores: readonly Restored[]) {
    this.#model = new Model(enforcesQuota)
    this.#restores = restores
    this.#steps = stepsOf(restores)
    for (const { id, identity } of history.sessions) this.#identities.set(id, identity)
    for (const { ops } of history.sessions)
      for (const op of ops)
        if (isWrite(op.call)) this.#writes.add(op)
        else if (op.reply !== undefined && isRead(op.call)) this.#reads.push(op)
    this.#reads.sort((a, b) => zxidOfReply(a) - zxidOfReply(b))
  }

  /** What operators have done before that txn. */
  #stepUpTo(zxid: number): void {
    for (let step = this.#steps[0]; step !== undefined && step.zxid < zxid; ) {
      this.#steps.shift()
      if (step.restored === undefined) this.#kept.set(step.zxid, this.#model.keep())
      else this.#onRestored(step.restored)
      step = this.#steps[0]
    }
  }

  /**
   * What was acknowledged after the backup is undone, on purpose; what was under way is never done. From
   * here on all is judged by the state of the backup.
   */
  #onRestored({ zxid, backup }: Restored): void {
    this.#readUpTo(zxid)
    const kept = this.#kept.get(backup.zxid)
    if (kept === undefined) throw new Error(`nothing is kept of ${hex(backup.zxid)}`)
    const before = [...this.#model.sessions.keys()]
    this.#note(
      { err: Err.ok, result: {}, changes: this.#model.putBack(kept, zxid) },
      { zxid },
      true,
    )
    for (const id of before) if (!kept.sessions.has(id)) this.#gone.add(id)
    for (const id of kept.sessions.keys()) {
      if (!backup.sessions.has(id))
        throw new Violation(CHECKER, `the backup at ${hex(backup.zxid)} lacks session ${id}`)
      this.#gone.delete(id)
      this.#closed.delete(id)
    }
  }

  onEntry(entry: LedgerEntry): void {
    this.#stepUpTo(entry.zxid)
    this.#readUpTo(entry.zxid)
    const { txn, clientId, zxid, time } = entry
    const who = this.#identities.get(clientId)
    const moment = { zxid, time, session: clientId, who, overQuota: overQuota(txn) }
    const op = this.#opOf(entry, moment)
    if (txn.type === OpCode.createSession) {
      this.#model.sessions.set(clientId, txn.timeOut)
      this.#begun.set(clientId, entry)
    } else if (op !== undefined) this.#onWrite(op, entry, moment)
    else if (txn.type === OpCode.closeSession) this.#close(entry, moment)
    else if (txn.type === OpCode.deleteContainer) this.#reap(txn.path, moment)
    else if (txn.type !== OpCode.error)
      throw new Violation('nothing comes from nowhere', `nobody has asked for ${hex(zxid)}`)
  }

  /**
   * Who has asked for it. Sessions use their xids again on another connection, so content and
   * outcome have to tell; where they do not, the oldest is taken, and no order is asked of any.
   */
  #opOf(entry: LedgerEntry, moment: Moment): Op | undefined {
    const all = this.#writes.candidates(entry)
    const [only] = all
    if (all.length < 2) return only
    const told = all.find(({ reply }) => reply?.zxid === entry.zxid)
    if (told !== undefined) return told
    const isRefusal = sessionErrOf(entry.txn) !== Err.ok
    const left = all.filter(({ reply }) => reply === undefined)
    const right = left.filter(
      ({ call, seenBefore }) =>
        isRefusal ||
        (isWrite(call) &&
          isOutcome(entry.txn, this.#model.foresee(call, { ...moment, since: seenBefore }))),
    )
    if (right.length > 1) for (const op of right) this.#vague.add(op)
    return right[0] ?? left[0] ?? only
  }

  #reap(path: string, moment: Moment): void {
    const outcome = this.#model.reap(path, moment)
    if (outcome === undefined)
      throw new Violation(
        'nothing comes from nowhere',
        `${path} is taken away at ${hex(moment.zxid)}`,
      )
    this.#note(outcome, moment)
    this.#reaped += 1
  }

  #close(entry: LedgerEntry, moment: Moment): Outcome {
    if (!this.#closed.has(moment.session)) this.#closed.set(moment.session, entry)
    const outcome = this.#model.closeSession(moment)
    this.#note(outcome, moment)
    return outcome
  }

  #onWrite(op: Op, entry: LedgerEntry, moment: Moment): void {
    const { txn, zxid } = entry
    this.#zxidOf.set(op, zxid)
    this.#writes.take(op)
    const refusal = this.#sessionRefusal(op, txn)
    if (refusal !== Err.ok) this.#refused.add(op)
    if (refusal === Err.sessionMoved) this.#moved += 1
    const { call } = op
    let outcome: Outcome = { err: refusal, result: {}, changes: [] }
    if (refusal === Err.ok && call.op === 'closeSession') outcome = this.#close(entry, moment)
    else if (refusal === Err.ok && isWrite(call)) {
      outcome = this.#model.write(call, { ...moment, since: op.seenBefore })
      this.#note(outcome, moment)
    }
    this.#compareTxn(op, txn, outcome)
    // Who is refused for the session's sake is not answered any more, or has a multi's answer.
    if (op.reply !== undefined && refusal === Err.ok) compareReply(op, outcome.err, outcome.result)
  }

  /** A session that has ended may do nothing any more; one that has moved need not. */
  #sessionRefusal(op: Op, txn: Txn): number {
    const err = sessionErrOf(txn)
    if (!this.#model.sessions.has(op.session.id)) {
      if (err !== Err.ok) return err
      // A second closeSession changes nothing.
      if (txn.type === OpCode.closeSession) return Err.ok
      throw new Violation(
        'ephemerals live as long as their session',
        `${nameOf(op)} is done after the session has ended`,
      )
    }
    return err === Err.sessionMoved ? err : Err.ok
  }

  /** What members have agreed on is what was asked for. */
  #compareTxn(op: Op, txn: Txn, outcome: Outcome): void {
    const found = txn.type === OpCode.error ? txn.err : sessionErrOf(txn)
    if (found !== outcome.err)
      throw new Violation(
        'writes are linearizable',
        `${nameOf(op)} became a txn with err ${found}, and should have ${outcome.err}`,
      )
  }

  #note(outcome: Outcome, { zxid }: Pick<Moment, 'zxid'>, isUntold = false): void {
    for (const change of outcome.changes) {
      const list = this.#changes.get(change.path)
      const timed = { ...change, zxid, isUntold }
      if (list === undefined) this.#changes.set(change.path, [timed])
      else list.push(timed)
    }
  }

  /** Answers the reads that have seen no more than what is before `zxid`. */
  #readUpTo(zxid: number): void {
    for (; this.#nextRead < this.#reads.length; this.#nextRead += 1) {
      const op = this.#reads[this.#nextRead]
      if (op === undefined || zxidOfReply(op) >= zxid) return
      if (!isRead(op.call)) continue
      if (this.#gone.has(op.session.id))
        throw new Violation(CHECKER, `${nameOf(op)} is answered, and no such session was restored`)
      const { err, result } = this.#model.read(op.call, op.session.id)
      compareReply(op, err, result)
    }
  }

  end(): Story {
    this.#stepUpTo(Infinity)
    this.#readUpTo(Infinity)
    for (const op of this.#writes.left()) {
      if (op.reply === undefined) continue
      throw new Violation(
        'acknowledged is durable',
        `${nameOf(op)} was answered at ${hex(op.reply.zxid)}, and is not in the history`,
      )
    }
    return {
      model: this.#model,
      changes: this.#changes,
      zxidOf: this.#zxidOf,
      refused: this.#refused,
      vague: this.#vague,
      begun: this.#begun,
      closed: this.#closed,
      restores: this.#restores,
      gone: this.#gone,
      reaped: this.#reaped,
      moved: this.#moved,
    }
  }
}

/** A backup to be kept, or its restore, at its place. */
interface Step {
  readonly zxid: number
  readonly restored?: Restored
}

/** Sorted; who restores comes before who keeps what was restored. */
function stepsOf(restores: readonly Restored[]): Step[] {
  const puts = restores.map((restored) => ({ zxid: restored.zxid, restored }))
  const backups = new Set(restores.map(({ backup }) => backup.zxid))
  return [...puts, ...[...backups].map((zxid) => ({ zxid }))].sort((a, b) => a.zxid - b.zxid)
}

/** A refusal for the session's sake; a multi stays one, with the refusal in its first part. */
function sessionErrOf(txn: Txn): number {
  const part = txn.type === OpCode.multi ? txn.txns[0] : txn
  if (part?.type !== OpCode.error) return Err.ok
  return part.err === Err.sessionExpired || part.err === Err.sessionMoved ? part.err : Err.ok
}

/** The part that was refused since there is too much below a quota. */
function overQuota(txn: Txn): number | undefined {
  const parts: readonly Txn[] = txn.type === OpCode.multi ? txn.txns : [txn]
  const at = parts.findIndex((part) => part.type === OpCode.error && part.err === Err.quotaExceeded)
  return at < 0 ? undefined : at
}

/** Whether that may have become of it, errors of parts included. */
function isOutcome(txn: Txn, { err, result }: Outcome): boolean {
  if (txn.type !== OpCode.multi) return err === (txn.type === OpCode.error ? txn.err : Err.ok)
  return txn.txns.every(
    (part, index) =>
      result.parts?.[index]?.err === (part.type === OpCode.error ? part.err : Err.ok),
  )
}

const zxidOfReply = (op: Op): number => op.reply?.zxid ?? 0

export const nameOf = (op: Op): string =>
  `${describeCall(op.call)} of client ${op.session.client}, xid ${op.xid} of session 0x${op.session.id.toString(16)}`

function compareReply(op: Op, err: number, result: Result): void {
  const { reply } = op
  if (reply === undefined) return
  const problem =
    reply.err === err ? compareResult(reply.result, result) : `err ${reply.err}, not ${err}`
  if (problem === undefined) return
  const checker = isWrite(op.call) ? 'writes are linearizable' : 'reads show a state that there was'
  throw new Violation(checker, `${nameOf(op)} at ${hex(reply.zxid)}: ${problem}`)
}

/** What was told must be right; the model may know more. */
function compareResult(seen: Result, right: Result): string | undefined {
  for (const key of ['path', 'data', 'acl'] as const)
    if (seen[key] !== undefined && seen[key] !== right[key])
      return `${key} ${seen[key]}, not ${right[key]}`
  const names = seen.children?.join(' ')
  if (names !== undefined && names !== right.children?.join(' '))
    return `children ${names}, not ${right.children?.join(' ')}`
  if (seen.stat !== undefined)
    for (const [key, value] of Object.entries(seen.stat)) {
      const wanted = right.stat?.[key as keyof typeof seen.stat]
      if (value !== wanted) return `${key} ${value}, not ${wanted}`
    }
  if (seen.parts === undefined) return undefined
  if (seen.parts.length !== right.parts?.length)
    return `${seen.parts.length} parts, not ${right.parts?.length}`
  for (const [index, part] of seen.parts.entries()) {
    const wanted = right.parts?.[index]
    if (part.err !== wanted?.err) return `part ${index}: err ${part.err}, not ${wanted?.err}`
    const problem = compareResult(part.result, wanted.result)
    if (problem !== undefined) return `part ${index}: ${problem}`
  }
  return undefined
}
