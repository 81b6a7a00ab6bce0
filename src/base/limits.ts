import { assert } from './assert.ts'

/**
 * What clients can make a member hold is bounded by these. They are arguments: tests use tiny ones.
 * docs/limits.md lists all bounds; it is made from the lines `@bound` of the comments.
 */
export interface Limits {
  /**
   * The largest request frame (jute.maxbuffer).
   * @bound bytes: the connection is closed before the frame is buffered
   */
  readonly frameBytesMax: number
  /**
   * Requests that were read from clients and wait for a commit, all clients together, those whose
   * connection has gone meanwhile as well (globalOutstandingLimit). One more for each connection
   * that has none.
   * @bound requests: no further request is read of a connection that has one outstanding; if all of
   * them are of connections that have gone, a client that writes is disconnected
   */
  readonly requestsOutstandingMax: number
  /**
   * Bytes of those together. Far below what a learner may owe its leader, so that several members
   * can let so much through at the same time.
   * @bound bytes: as for requestsOutstandingMax; and of the others only small requests are read,
   * such as heartbeats
   */
  readonly requestBytesOutstandingMax: number
  /**
   * Bytes of requests that one client has sent and that cannot be served yet. Above 0, since a
   * heartbeat among them shows that the client lives.
   * @bound bytes: its socket is not read
   */
  readonly unservedBytesPause: number
  /**
   * Sessions whose clients have come back to a learner and wait for an answer of the leader.
   * @bound sessions: the connection is closed
   */
  readonly sessionsReturningMax: number
  /**
   * Bytes of replies that wait for one client.
   * @bound bytes: no more of its requests are read
   */
  readonly replyBytesPause: number
  /**
   * Reads of one connection that wait behind a write: they are answered together when it commits.
   * @bound requests: no more of its requests are read
   */
  readonly parkedReadsMax: number
  /**
   * Work that is done for one connection in a turn, in steps of some tens of nanoseconds
   * (server/bounds/work-budget.ts).
   * @bound steps: the rest of its requests wait for the next turn
   */
  readonly workStepsPerTurn: number
  /**
   * Bytes that wait for one client, watch events included; the largest reply among them is not
   * counted.
   * @bound bytes: the connection is closed
   */
  readonly replyBytesMax: number
  /**
   * Connections from one address (maxClientCnxns); 0 for no limit. One that was closed counts until
   * its socket is gone.
   * @bound connections: refused
   */
  readonly cnxnsPerAddressMax: number
  /**
   * Connections of all clients (maxCnxns); 0 for no limit.
   * @bound connections: refused
   */
  readonly cnxnsMax: number
  /**
   * Identities that one connection may gather by logging in again and again.
   * @bound identities: the login fails
   */
  readonly cnxnIdsMax: number
  /**
   * Bytes of these together: `auth` in an ACL stands for them all, so they go into txns.
   * @bound bytes: the login fails
   */
  readonly cnxnIdBytesMax: number
  /**
   * SASL tokens that a connection may send in all.
   * @bound tokens: the login fails
   */
  readonly saslTokensMax: number
  /**
   * Logins of all clients that the member itself cannot judge in a turn, and that are not answered yet,
   * those whose connection has gone meanwhile as well.
   * @bound logins: the connection is closed
   */
  readonly questionsMax: number
}

export const defaultLimits: Limits = {
  frameBytesMax: 0xfffff,
  requestsOutstandingMax: 1000,
  requestBytesOutstandingMax: 32 * 1024 * 1024,
  unservedBytesPause: 4096,
  sessionsReturningMax: 100_000,
  replyBytesPause: 1024 * 1024,
  parkedReadsMax: 64,
  workStepsPerTurn: 100_000,
  replyBytesMax: 16 * 1024 * 1024,
  cnxnsPerAddressMax: 60,
  cnxnsMax: 0,
  cnxnIdsMax: 100,
  cnxnIdBytesMax: 16 * 1024,
  saslTokensMax: 16,
  questionsMax: 1000,
}

export function checkLimits(limits: Limits): void {
  assert(limits.frameBytesMax > 0, 'a frame must have room for a byte')
  assert(limits.requestsOutstandingMax > 0, 'one request must be let through')
  assert(limits.sessionsReturningMax > 0, 'one session must be let in')
  assert(limits.requestBytesOutstandingMax > 0, 'one byte of a request must be let through')
  assert(limits.replyBytesMax > limits.replyBytesPause, 'a client is paused before it is cut off')
}

/** Bounds that no configuration sets and no test needs otherwise. */

/**
 * Characters of the long answers to four-letter words that one turn makes, all of them together.
 * @bound characters: the rest has the next turns
 */
export const WORD_SLICE_CHARS: number = 64 * 1024
/**
 * Long answers that are made at the same time.
 * @bound answers: further ones wait
 */
export const LONG_WORDS_MAX = 4
/**
 * How long the client of a long answer may take nothing of it.
 * @bound milliseconds: the connection is closed
 */
export const WORD_STALL_MS_MAX = 10_000
/**
 * Watches of clients that have gone that one turn removes, all of them together.
 * @bound watches: they do not fire any more, and are removed in the next turns
 */
export const WATCHES_SWEPT_PER_TURN = 2048
/**
 * Samples that one metric keeps for its percentiles, as many as the original.
 * @bound samples: a new one replaces one of them, or is left out, at random
 */
export const RESERVOIR_SAMPLES_MAX = 4096
/**
 * Keys of one set of metrics; they come from clients, being names of top-level znodes.
 * @bound keys: values of a new key are not recorded
 */
export const METRIC_SET_KEYS_MAX = 1000
/**
 * Entries of the digest log, as many as the original keeps.
 * @bound entries: the oldest goes
 */
export const DIGEST_LOG_ENTRIES_MAX = 1024
