import type { Logger } from '../base/logger.ts'
import type { OwnerRules } from '../data/create-mode.ts'
import { OpCode } from '../data/op-code.ts'
import { readTxnDigest } from '../data/records.ts'
import { formatSessionId } from '../data/session-id.ts'
import { DIGEST_VERSION, readTxn, type Txn } from '../data/txn.ts'
import { formatZxid } from '../data/zxid.ts'
import type { DiskReader } from '../persistence/disk.ts'
import { type LogTail, type RecoveryRefusal, replayLogs } from '../persistence/recovery.ts'
import { applyTxn, deafListener } from '../tree/apply.ts'
import { DataTree } from '../tree/data-tree.ts'
import type { Recovered } from './member.ts'

export interface Loaded extends Recovered {
  readonly kind: 'loaded'
  readonly txns: number
  /** What the shell has to cut off before it appends. */
  readonly tail: LogTail | undefined
}

/** How the tree is to read what it finds. */
export interface LoadRules extends OwnerRules {
  readonly digestEnabled: boolean
}

const DIGEST_BYTES = 12

/** Buffers of a txn point into a page of the log; what the tree keeps must be its own. */
function ownData(txn: Txn): Txn {
  switch (txn.type) {
    case OpCode.multi:
      return { ...txn, txns: txn.txns.map((part) => ownPart(part)) }
    default:
      return ownPart(txn)
  }
}

function ownPart<T extends Txn>(txn: T): T {
  if (!('data' in txn) || txn.data === null) return txn
  return { ...txn, data: Buffer.from(txn.data) }
}

/** The state as of the last record on disk (spec 05 §13), or why it must not be served. */
export function loadMember(
  disk: DiskReader,
  rules: LoadRules,
  logger: Logger,
): Loaded | RecoveryRefusal {
  const tree = new DataTree(rules, rules.digestEnabled)
  const sessions = new Map<bigint, number>()
  let digestsCompared = rules.digestEnabled
  const replayed = replayLogs(disk, 0, (header, body) => {
    const txn = readTxn(body, header.type)
    if (txn === undefined) return `txn type ${header.type} cannot be replayed`
    if (!body.ok) return 'the body of a txn does not decode'
    if (txn.type === OpCode.createSession) sessions.set(header.clientId, txn.timeOut)
    if (txn.type === OpCode.closeSession) sessions.delete(header.clientId)
    applyTxn(tree, header, ownData(txn), deafListener)
    if (!digestsCompared || body.remaining !== DIGEST_BYTES) return undefined
    const digest = readTxnDigest(body)
    if (digest.version !== DIGEST_VERSION || digest.treeDigest === tree.digest.toBigInt())
      return undefined
    digestsCompared = false
    logger.error('tree digest differs from the one in the log; told once', {
      zxid: formatZxid(header.zxid),
      session: formatSessionId(header.clientId),
    })
    return undefined
  })
  if (replayed.kind === 'refused') return replayed
  dropOrphans(tree, sessions, replayed.lastZxid, logger)
  tree.quota.recountAll()
  return {
    kind: 'loaded',
    tree,
    sessions,
    lastZxid: replayed.lastZxid,
    txns: replayed.txns,
    tail: replayed.tail,
  }
}

/** Ephemerals whose session is not there can never be closed by one (spec 05 §8). */
function dropOrphans(
  tree: DataTree,
  sessions: ReadonlyMap<bigint, number>,
  zxid: number,
  logger: Logger,
): void {
  for (const [session, paths] of [...tree.ephemeralOwners]) {
    if (sessions.has(session)) continue
    logger.warn('dropping ephemerals of an unknown session', {
      session: formatSessionId(session),
      nodes: paths.size,
    })
    const context = { clientId: session, zxid, time: 0 }
    applyTxn(tree, context, { type: OpCode.closeSession, paths2Delete: [] }, deafListener)
  }
}
