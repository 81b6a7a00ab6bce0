import { FrameSplitter } from 'jute-ts'
import { Deque } from '../../base/deque.ts'
import type { Id } from '../../data/records.ts'
import type { SessionId } from '../../data/session-id.ts'
import { ipIdOf } from '../auth/ip.ts'
import type { SaslExchange } from '../auth/sasl-exchange.ts'
import type { Worker } from '../bounds/work-budget.ts'
import type { Session } from '../sessions/session-tracker.ts'
import { CnxnStats } from '../stats/server-stats.ts'
import type { OutboxTarget } from './outbox.ts'

/** Named by the shell, never used twice. */
export type CnxnId = number

/** What the shell knows of a connection when it is opened. */
export interface CnxnFacts {
  /** Of the client, as the machine tells it. */
  readonly address: string
  readonly port: number
  /** The port of this server that it has come by. */
  readonly localPort: number
  /** Nobody between can read it. */
  readonly isSecure: boolean
  /** What the client has shown of itself, in DER; undefined: nothing. */
  readonly certificate: Buffer | undefined
}

/**
 * fresh: nothing but the first bytes, which may be a four-letter word. answering: it was one, and the
 * answer is a long one. connecting: the session is
 * being created. revalidating: somebody is asked whether it lives. open: requests are served. asking: it
 * has asked who its client is, and the answer takes its time; its requests wait.
 * closing: the last bytes are on their way.
 */
type CnxnState =
  | 'fresh'
  | 'answering'
  | 'handshake'
  | 'connecting'
  | 'revalidating'
  | 'open'
  | 'asking'
  | 'closing'

/** xid and op. */
export const REQUEST_HEADER_BYTES = 8

/** A request whose reply has to wait: a write for its commit, a read for the writes before it. */
export interface PendingRequest {
  readonly cnxn: Cnxn
  readonly xid: number
  readonly op: number
  readonly arrivedMono: number
  /** Of its frame, whether that is kept or not. */
  readonly bytes: number
  /**
   * The frame of a read, copied; of a refused write its error, behind a header; undefined for what the
   * ordered stream of commits answers.
   */
  readonly frame: Buffer | undefined
}

/** One client connection. What it means is the member's business; this is its state. */
export class Cnxn implements OutboxTarget, Worker {
  readonly id: CnxnId
  readonly facts: CnxnFacts
  /** Of the client, in the form that its id has. */
  readonly address: string
  readonly openedMono: number
  readonly openedWall: number
  readonly splitter: FrameSplitter
  state: CnxnState = 'fresh'
  /** The first bytes, until there are enough of them to tell a word from a length. */
  head: Buffer = NO_BYTES
  /** 0 until the connect request; set before the session exists. */
  sessionId: SessionId = 0n
  session: Session | undefined
  /** While the session is revalidated: the timeout that was negotiated, in ms. */
  timeoutWishMs = 0
  /** What the client asked for in its connect request matters to the reply. */
  hasReadOnlyByte = false
  /** Who the client has shown to be; every connection starts as its address. */
  ids: readonly Id[]
  sasl: SaslExchange | undefined
  readonly pieces: number[] = []
  unsentBytes = 0
  /** The largest reply that may be among what its socket has not taken, if it is a large one. */
  largeReplyBytes = 0
  /** What was done for it, and of which filling of the budget: see WorkBudget. */
  workFilling = 0
  workSteps = 0
  /** Requests that wait, in the order of arrival; their replies leave in this order. */
  readonly pending: Deque<PendingRequest> = new Deque()
  /** How many of those are reads. */
  parkedReads = 0
  /** The socket is not being read. */
  paused = false
  readonly stats: CnxnStats = new CnxnStats()

  constructor(id: CnxnId, facts: CnxnFacts, frameBytesMax: number, mono: number, wall: number) {
    this.id = id
    this.facts = facts
    const ipId = ipIdOf(facts.address)
    this.address = ipId.id
    this.openedMono = mono
    this.openedWall = wall
    this.splitter = new FrameSplitter(frameBytesMax)
    this.ids = [ipId]
  }

  /** Of the client. */
  get port(): number {
    return this.facts.port
  }
}

const NO_BYTES: Buffer = Buffer.alloc(0)
