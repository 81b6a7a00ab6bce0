/** What clients have done and seen, for the checkers: nothing in here knows of members. */

/** open: anybody may do anything. guarded: others may only read, and who asks must be known. */
export type AclName = 'open' | 'guarded'

export type Part =
  | {
      readonly op: 'create'
      readonly path: string
      readonly data: string
      readonly flags: number
      readonly acl: AclName
    }
  | { readonly op: 'delete'; readonly path: string; readonly version: number }
  | {
      readonly op: 'setData'
      readonly path: string
      readonly data: string
      readonly version: number
    }
  | { readonly op: 'check'; readonly path: string; readonly version: number }

export type WriteCall =
  | Exclude<Part, { op: 'check' }>
  | { readonly op: 'multi'; readonly parts: readonly Part[] }
  | {
      readonly op: 'setACL'
      readonly path: string
      readonly acl: AclName
      readonly version: number
    }
  | { readonly op: 'closeSession' }

export type ReadCall =
  | {
      readonly op: 'getData' | 'exists' | 'getChildren'
      readonly path: string
      readonly watch: boolean
    }
  | { readonly op: 'getACL'; readonly path: string }
  | { readonly op: 'getEphemerals'; readonly prefix: string }
  | {
      readonly op: 'multiRead'
      readonly reads: readonly {
        readonly op: 'getData' | 'getChildren'
        readonly path: string
      }[]
    }

export type Call =
  | WriteCall
  | ReadCall
  | { readonly op: 'sync'; readonly path: string }
  | { readonly op: 'ping' }
  | {
      readonly op: 'setWatches'
      readonly relativeZxid: number
      readonly data: readonly string[]
      readonly exist: readonly string[]
      readonly child: readonly string[]
      readonly persistent: readonly string[]
      readonly recursive: readonly string[]
    }
  | {
      readonly op: 'addWatch' | 'removeWatches'
      readonly path: string
      readonly recursive: boolean
    }
  | { readonly op: 'removeWatch'; readonly path: string; readonly kind: 'data' | 'child' }

/** The fields of a Stat that can be told without knowing how the server counts. */
export interface SeenStat {
  readonly czxid: number
  readonly mzxid: number
  readonly pzxid: number
  readonly ctime: number
  readonly mtime: number
  readonly version: number
  readonly cversion: number
  readonly aversion: number
  readonly ephemeralOwner: bigint
  readonly dataLength: number
  readonly numChildren: number
}

/** What a reply holds; fields that its kind does not have are undefined. */
export interface Result {
  readonly path?: string | undefined
  readonly data?: string | undefined
  readonly stat?: SeenStat | undefined
  readonly children?: readonly string[] | undefined
  /** Who may do what, as one text. */
  readonly acl?: string | undefined
  /** Of a multi: an error, or what that part has brought. */
  readonly parts?: readonly { readonly err: number; readonly result: Result }[] | undefined
}

/** A request, and what came of it. */
export interface Op {
  readonly session: SessionLog
  /** Counts the connections of all clients. */
  readonly connection: number
  readonly xid: number
  readonly call: Call
  readonly invokedAt: number
  /** The largest zxid that any client had seen when it was sent. */
  readonly seenBefore: number
  /** Undefined: no reply came, and nobody knows whether it was done. */
  reply:
    | {
        readonly at: number
        readonly zxid: number
        readonly err: number
        readonly result: Result
      }
    | undefined
}

/** In the order in which a session has received it, over all its connections. */
export type Received =
  | { readonly kind: 'reply'; readonly op: Op; readonly zxid: number }
  | {
      readonly kind: 'event'
      readonly type: number
      readonly path: string
      /** -1 where the server does not say. */
      readonly zxid: number
    }
  | { readonly kind: 'connected' }

/** A watch, from the reply that says that it is set. */
export interface WatchLog {
  /** exist: on a node that was not there. */
  readonly kind: 'data' | 'exist' | 'child'
  readonly path: string
  /** Of the reply that set it: every later change must be told. */
  readonly setZxid: number
  /** Places in SessionLog.received. */
  readonly setAt: number
  firedAt: number | undefined
  /** The reply that says that it is no longer wanted. */
  removedAt?: number
  /** A setWatches after a reconnect has set it anew, at that place. */
  readonly rearmedAt: number[]
}

/** A watch that stays, and follows the session to another connection; what happens in between it misses. */
export interface PersistentLog {
  readonly path: string
  readonly recursive: boolean
  /** From the reply that says that it is set: its place in SessionLog.received, and its zxid. */
  readonly spans: { readonly from: number; readonly zxid: number; to: number | undefined }[]
}

export interface SessionLog {
  readonly id: bigint
  readonly client: number
  readonly timeoutMs: number
  /** When its client asked for it: the last that is sure to have been heard of it before it was used. */
  readonly askedAt: number
  readonly ops: Op[]
  readonly received: Received[]
  readonly watches: WatchLog[]
  readonly persistent: PersistentLog[]
  /** Who it logs in as, over each connection; undefined: it does not. */
  readonly identity: string | undefined
  lastZxid: number
  /** A client that has gone for good leaves its session to expire. */
  end: { readonly at: number; readonly how: 'closed' | 'expired' | 'abandoned' } | undefined
}

export const isWrite = (call: Call): call is WriteCall =>
  call.op === 'create' ||
  call.op === 'delete' ||
  call.op === 'setData' ||
  call.op === 'multi' ||
  call.op === 'setACL' ||
  call.op === 'closeSession'

export const isRead = (call: Call): call is ReadCall =>
  call.op === 'getData' ||
  call.op === 'exists' ||
  call.op === 'getChildren' ||
  call.op === 'getACL' ||
  call.op === 'getEphemerals' ||
  call.op === 'multiRead'

/** Found by a checker: its name, and a sentence. */
export class Violation extends Error {
  readonly checker: string

  constructor(checker: string, message: string) {
    super(`${checker}: ${message}`)
    this.checker = checker
  }
}

/** All sessions of a run; and what can be judged as soon as a reply is there. */
export class History {
  readonly sessions: SessionLog[] = []
  /** The largest zxid that a client has seen. */
  seenZxid = 0
  repliesTotal = 0

  open(session: SessionLog): void {
    this.sessions.push(session)
  }

  invoke(op: Op): void {
    op.session.ops.push(op)
  }

  /** Throws a Violation. */
  onReply(op: Op, reply: NonNullable<Op['reply']>): void {
    op.reply = reply
    this.repliesTotal += 1
    const { session, call } = op
    const what = (): string => `${describeCall(call)} of client ${session.client}, xid ${op.xid}`
    if (reply.zxid < session.lastZxid)
      throw new Violation(
        'zxid never goes back',
        `${what()} was answered at ${hex(reply.zxid)}, after ${hex(session.lastZxid)} was seen`,
      )
    // A refusal that never became a txn shows no zxid of its own; the model judges it.
    if (isWrite(call) && reply.err === 0) this.#judgeWrite(op, reply.zxid, what)
    if (call.op === 'sync' && reply.err === 0 && reply.zxid < op.seenBefore)
      throw new Violation(
        'sync is a barrier',
        `${what()} was answered at ${hex(reply.zxid)}, when ${hex(op.seenBefore)} had been seen before`,
      )
    session.lastZxid = reply.zxid
    this.seenZxid = Math.max(this.seenZxid, reply.zxid)
    session.received.push({ kind: 'reply', op, zxid: reply.zxid })
  }

  #judgeWrite(op: Op, zxid: number, what: () => string): void {
    // The zxid of a reply is that of the state, which may have gone on: it can only hide a fault.
    if (zxid > op.seenBefore) return
    throw new Violation(
      'writes are linearizable',
      `${what()} is at ${hex(zxid)}, but ${hex(op.seenBefore)} had been seen before it was sent`,
    )
  }
}

export const hex = (zxid: number): string => `0x${zxid.toString(16)}`

export function describeCall(call: Call | Part): string {
  switch (call.op) {
    case 'multi':
      return `multi[${call.parts.map((part) => describeCall(part)).join(', ')}]`
    case 'closeSession':
    case 'ping':
      return call.op
    case 'setWatches':
      return `setWatches ${hex(call.relativeZxid)} ${[...call.data, ...call.exist, ...call.child].join(' ')}`
    case 'getEphemerals':
      return `getEphemerals ${call.prefix}`
    case 'multiRead':
      return `multiRead[${call.reads.map(({ op, path }) => `${op} ${path}`).join(', ')}]`
    case 'setACL':
      return `setACL ${call.path} ${call.acl} v${call.version}`
    case 'create':
      return `create ${call.path} ${call.acl} flags ${call.flags}`
    case 'setData':
    case 'delete':
    case 'check':
      return `${call.op} ${call.path} v${call.version}`
    default:
      return `${call.op} ${call.path}`
  }
}
