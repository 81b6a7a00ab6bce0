import type { JuteReader } from 'jute-ts'
import { Deque } from '../../base/deque.ts'
import { keptCopy } from '../../base/kept-bytes.ts'
import type { Logger } from '../../base/logger.ts'
import type { Config } from '../../config/config.ts'
import type { OwnerRules } from '../../data/create-mode.ts'
import { OpCode } from '../../data/op-code.ts'
import { readTxnDigest, type TxnHeader } from '../../data/records.ts'
import { formatSessionId } from '../../data/session-id.ts'
import { DIGEST_VERSION, readTxn, type Txn } from '../../data/txn.ts'
import { counterOf, epochOf, formatZxid } from '../../data/zxid.ts'
import type { DiskReader, LogFileInfo } from '../../persistence/disk.ts'
import {
  type LogPlace,
  type LogTail,
  type RecoveryRefusal,
  replayLogs,
} from '../../persistence/recovery.ts'
import { type ChosenSnapshot, loadNewestSnapshot } from '../../persistence/snapshot-choice.ts'
import { COMMITTED_LOG_ENTRIES_MIN } from '../../quorum/leading/committed-log.ts'
import type { Entry } from '../../quorum/ports/replica.ts'
import { applyTxn, deafListener } from '../../tree/apply.ts'
import { DataTree } from '../../tree/data-tree.ts'
import type { Recovered } from './recovered.ts'

export interface Loaded extends Recovered {
  readonly kind: 'loaded'
  readonly txns: number
  /** What the shell has to cut off before it appends. */
  readonly tail: LogTail | undefined
  /** What the shell has to write anew before this state is acted upon, from some way before. */
  readonly end: LogPlace | undefined
  /** The snapshot that this began with. Undefined: the logs held everything, or there was nothing. */
  readonly snapshot: string | undefined
  /** The data directory was empty: the shell writes a first snapshot, without which nobody reads it. */
  readonly isNew: boolean
  /**
   * Another snapshot would be the same: no txn has come after it, and nothing was dropped that it holds.
   * That stands in no txn: a node of that path which is created now would not be in a replay from it.
   */
  readonly isSnapshotCurrent: boolean
}

/** How the tree is to read what it finds, and what may be missing. */
export interface LoadRules extends OwnerRules {
  readonly digestEnabled: boolean
  /** snapshot.trust.empty: logs without a snapshot are taken for all there ever was; not if unsaid. */
  readonly snapshotTrustEmpty?: boolean
  /** How many of the newest entries are handed back, for learners that miss them; none if unsaid. */
  readonly recentMax?: number
  /** db.autocreate, or the marker `initialize`: an empty directory is a new one; so it is if unsaid. */
  readonly mayCreate?: boolean
}

export function loadRulesOf(config: Config, mayCreate: boolean): LoadRules {
  return {
    recentMax: config.servers.size > 0 ? COMMITTED_LOG_ENTRIES_MIN : 0,
    extendedTypesEnabled: config.extendedTypesEnabled,
    emulate353TtlNodes: config.emulate353TtlNodes,
    digestEnabled: config.digestEnabled,
    snapshotTrustEmpty: config.snapshotTrustEmpty,
    mayCreate,
  }
}

const DIGEST_BYTES = 12

/** Buffers of a txn point into a page of the log; what the tree keeps must be its own. */
export function ownData(txn: Txn): Txn {
  switch (txn.type) {
    case OpCode.multi:
      return { ...txn, txns: txn.txns.map((part) => ownPart(part)) }
    default:
      return ownPart(txn)
  }
}

function ownPart<T extends Txn>(txn: T): T {
  if (!('data' in txn) || txn.data === null) return txn
  return { ...txn, data: keptCopy(txn.data) }
}

/**
 * The state as of the last record on disk (spec 05 §13), or why it must not be served: the newest
 * snapshot that is whole, and the txns behind it.
 */
export function loadMember(
  disk: DiskReader,
  rules: LoadRules,
  logger: Logger,
  onSnapshotLoaded: () => void = () => {},
): Loaded | RecoveryRefusal {
  const makeTree = (): DataTree => new DataTree(rules, rules.digestEnabled)
  const { chosen, rejected } = loadNewestSnapshot(disk, makeTree)
  for (const { name, reason } of rejected)
    logger.warn('passing over a damaged snapshot', { file: name, reason })
  if (chosen === undefined) {
    const refusal = judgeWithoutSnapshot(disk, rules, logger)
    if (refusal !== undefined) return refusal
  }
  onSnapshotLoaded()
  const recovery = new Recovery(chosen, chosen?.tree ?? makeTree(), rules, logger)
  const replayed = replayLogs(disk, chosen?.zxid ?? 0, (header, body) =>
    recovery.onTxn(header, body),
  )
  if (replayed.kind === 'refused') return replayed
  if (chosen !== undefined) {
    const needed = Math.max(lastTxnOf(chosen.digest?.zxid ?? 0), chosen.zxidMax)
    if (needed > replayed.lastZxid) return refuseLostTxns(chosen.name, needed, replayed.lastZxid)
  }
  recovery.end()
  const { tree, sessions } = recovery
  const hasDropped = dropOrphans(tree, sessions, replayed.lastZxid, logger)
  tree.quota.recountAll()
  return {
    kind: 'loaded',
    tree,
    sessions,
    lastZxid: replayed.lastZxid,
    recent: recovery.recent,
    txns: replayed.txns,
    tail: replayed.tail,
    end: replayed.end,
    snapshot: chosen?.name,
    isNew: chosen === undefined && replayed.lastZxid === 0,
    isSnapshotCurrent: chosen !== undefined && replayed.txns === 0 && !hasDropped,
  }
}

/**
 * The state of a member whose epoch has just begun carries a zxid that no txn has. It says that all
 * of the epochs before is there, but not where that ended.
 */
const lastTxnOf = (zxid: number): number => (counterOf(zxid) === 0 ? 0 : zxid)

/** Whether it may be right that no snapshot can be loaded. */
function judgeWithoutSnapshot(
  disk: DiskReader,
  rules: LoadRules,
  logger: Logger,
): RecoveryRefusal | undefined {
  const logs = disk.listLogs()
  const [first] = logs
  const [damaged] = disk.listSnapshots().toReversed()
  if (first === undefined) {
    if (damaged !== undefined) return refuseDamaged(damaged.name)
    return rules.mayCreate === false ? refuseEmpty() : undefined
  }
  if (isWholeHistory(logs)) return undefined
  if (rules.snapshotTrustEmpty === true && damaged === undefined) {
    logger.warn('there are logs and no snapshot: trusting them, as snapshot.trust.empty says')
    return undefined
  }
  if (damaged !== undefined) return refuseDamaged(damaged.name)
  const reason = 'there are logs but no snapshot, so what came before them is missing'
  const remedy =
    'restore the snapshot from another copy; or, if these logs hold everything (as after an ' +
    'upgrade from 3.4), start once with snapshot.trust.empty=true'
  return { kind: 'refused', file: first.name, offset: undefined, reason, remedy }
}

/**
 * A log that begins with the very first txn, and no epoch but that of a standalone server: the replay
 * refuses gaps, so nothing can be missing. In an ensemble an old log may hold what was truncated
 * later (spec 07), which a snapshot would have hidden.
 */
function isWholeHistory(logs: readonly LogFileInfo[]): boolean {
  return logs[0]?.zxid === 1 && logs.every(({ zxid }) => epochOf(zxid) === 0)
}

function refuseDamaged(file: string): RecoveryRefusal {
  const reason =
    'there is no snapshot that is whole, and the logs do not reach back to the first txn'
  const remedy =
    'restore a snapshot from another copy, or in an ensemble empty the data directory of this ' +
    'server so that it copies the state of the leader; the log says what is wrong with each file'
  return { kind: 'refused', file, offset: undefined, reason, remedy }
}

function refuseEmpty(): RecoveryRefusal {
  const reason = 'the data directory is empty, and db.autocreate=false says that this must not be'
  const remedy = 'check dataDir; for a new server create an empty file named initialize in it'
  return { kind: 'refused', file: '', offset: undefined, reason, remedy }
}

/** A fuzzy snapshot holds the half of txns that only the log holds whole. */
function refuseLostTxns(file: string, needed: number, last: number): RecoveryRefusal {
  const reason =
    `it was written while txns up to ${formatZxid(needed)} were applied, ` +
    `but the logs end with ${formatZxid(last)}: txns that were acknowledged are missing`
  const remedy =
    'restore the log files from another copy, or in an ensemble empty the data directory of this ' +
    'server so that it copies the state of the leader; to go on without the missing txns, move ' +
    'this snapshot away: the one before it and the logs give the state at the end of the logs'
  return { kind: 'refused', file, offset: undefined, reason, remedy }
}

/** A digest that is not the one of the tree. */
interface Mismatch {
  readonly source: 'snapshot' | 'log'
  readonly zxid: number
  readonly session: bigint
}

/** A tree on its way from a snapshot to the end of the logs. */
class Recovery {
  readonly tree: DataTree
  readonly sessions: Map<bigint, number>
  readonly #logger: Logger
  /** The newest entries of the log, as many as were asked for. */
  readonly recent: Deque<Entry> = new Deque()
  readonly #recentMax: number
  /** Digests say nothing before this zxid: the snapshot was fuzzy up to there, at least. */
  readonly #compareFrom: number
  readonly #snapshotDigest: ChosenSnapshot['digest']
  #isComparing: boolean
  /**
   * One digest was right, so all that follow must be. Until then a snapshot may be fuzzy for longer than
   * it says: the original writes the tail while the next txn is being applied, half of which the nodes
   * have by then; and one that was killed between two seals has left no tail (spec 07).
   */
  #isSettled: boolean
  /** The first digest that was wrong, while none was right. */
  #doubt: Mismatch | undefined = undefined

  constructor(
    chosen: ChosenSnapshot | undefined,
    tree: DataTree,
    rules: LoadRules,
    logger: Logger,
  ) {
    this.tree = tree
    this.sessions = chosen?.sessions ?? new Map()
    this.#logger = logger
    this.#recentMax = rules.recentMax ?? 0
    this.#isComparing = rules.digestEnabled
    this.#isSettled = chosen === undefined
    const digest = chosen?.digest
    // The tail of the very first snapshot says nothing, and no replay reaches a smaller zxid.
    const isUsable = digest !== undefined && digest.zxid > 0 && digest.zxid >= (chosen?.zxid ?? 0)
    this.#snapshotDigest = isUsable ? digest : undefined
    this.#compareFrom = Math.max(isUsable ? digest.zxid : 0, chosen?.zxidMax ?? 0)
    if (chosen !== undefined) this.#compareSnapshotDigest(chosen.zxid)
  }

  onTxn(header: TxnHeader, body: JuteReader): string | undefined {
    const { tree, sessions } = this
    if (this.#recentMax > 0) this.#remember(header.zxid, body)
    const txn = readTxn(body, header.type)
    if (txn === undefined) return `txn type ${header.type} cannot be replayed`
    if (!body.ok) return 'the body of a txn does not decode'
    if (txn.type === OpCode.createSession) sessions.set(header.clientId, txn.timeOut)
    if (txn.type === OpCode.closeSession) sessions.delete(header.clientId)
    applyTxn(tree, header, ownData(txn), deafListener)
    this.#compareSnapshotDigest(header.zxid)
    if (this.#isComparing && header.zxid >= this.#compareFrom && body.remaining === DIGEST_BYTES)
      this.#compareTxnDigest(header, body)
    return undefined
  }

  /** The reader's bytes are those of the entry, and lent. */
  #remember(zxid: number, body: JuteReader): void {
    this.recent.push({ zxid, bytes: Buffer.from(body.buffer.subarray(0, body.end)) })
    if (this.recent.length > this.#recentMax) this.recent.shift()
  }

  #compareSnapshotDigest(zxid: number): void {
    const expected = this.#snapshotDigest
    if (!this.#isComparing || expected?.zxid !== zxid) return
    if (expected.version !== DIGEST_VERSION || expected.value === undefined) return
    this.#compare(expected.value, { source: 'snapshot', zxid, session: 0n })
  }

  #compareTxnDigest(header: TxnHeader, body: JuteReader): void {
    const digest = readTxnDigest(body)
    if (digest.version !== DIGEST_VERSION) return
    const { zxid, clientId } = header
    this.#compare(digest.treeDigest, { source: 'log', zxid, session: clientId })
  }

  #compare(expected: bigint, mismatch: Mismatch): void {
    if (expected === this.tree.digest.toBigInt()) {
      this.#isSettled = true
      this.#doubt = undefined
    } else if (this.#isSettled) this.#tell(mismatch)
    else this.#doubt ??= mismatch
  }

  /** The logs have ended: what was in doubt until now is wrong. */
  end(): void {
    if (this.#doubt !== undefined) this.#tell(this.#doubt)
  }

  /** Logged once: after one difference all digests that follow differ. */
  #tell({ source, zxid, session }: Mismatch): void {
    this.#isComparing = false
    const fields = { zxid: formatZxid(zxid), session: formatSessionId(session) }
    this.#logger.error(`tree digest differs from the one in the ${source}; told once`, fields)
  }
}

/** Ephemerals whose session is not there can never be closed by one (spec 05 §8). True: there were some. */
export function dropOrphans(
  tree: DataTree,
  sessions: ReadonlyMap<bigint, number>,
  zxid: number,
  logger: Logger,
): boolean {
  let hasDropped = false
  for (const [session, paths] of [...tree.ephemeralOwners]) {
    if (sessions.has(session)) continue
    logger.warn('dropping ephemerals of an unknown session', {
      session: formatSessionId(session),
      nodes: paths.size,
    })
    const context = { clientId: session, zxid, time: 0 }
    applyTxn(tree, context, { type: OpCode.closeSession, paths2Delete: [] }, deafListener)
    hasDropped = true
  }
  return hasDropped
}
