import { assert } from './assert.ts'

/**
 * What clients can make a member hold is bounded by these; the rest by server/bounds/member-bounds.ts and, where
 * no test needs otherwise, by constants. They are arguments: tests use tiny ones.
 */
export interface Limits {
  /** jute.maxbuffer: the largest request frame, in bytes. */
  readonly frameBytesMax: number
  /**
   * globalOutstandingLimit: requests read from clients, waiting for a commit, all clients together,
   * those whose connection has gone meanwhile as well. One more for each connection that has none.
   */
  readonly requestsOutstandingMax: number
  /**
   * Bytes of those together. Beyond that only small requests are read, and of clients that have none
   * outstanding: heartbeats, for one. Below what a learner may owe its leader, also with several members
   * that let so much through at the same time.
   */
  readonly requestBytesOutstandingMax: number
  /**
   * Bytes of requests that one client has sent and that cannot be served yet, above which its socket
   * is not read. Some are: a heartbeat among them shows that the client lives.
   */
  readonly unservedBytesPause: number
  /** Sessions whose clients have come back to a learner and wait for the leader's word; then refused. */
  readonly sessionsReturningMax: number
  /** Bytes of replies waiting for one client above which no more of its requests are read. */
  readonly replyBytesPause: number
  /** Reads of one connection that wait behind a write: they are answered together when it commits. */
  readonly parkedReadsMax: number
  /**
   * Work that is done for one connection in a turn, in steps of some tens of nanoseconds (see
   * server/bounds/work-budget.ts); what it asks for beyond that waits for the next turn.
   */
  readonly workStepsPerTurn: number
  /**
   * Bytes waiting for one client, watch events included, above which it is cut off; the largest reply
   * among them is not counted.
   */
  readonly replyBytesMax: number
  /** maxClientCnxns: connections from one address; 0 for no limit. */
  readonly cnxnsPerAddressMax: number
  /** maxCnxns: connections of all clients; 0 for no limit. */
  readonly cnxnsMax: number
  /** Identities that one connection may gather by logging in again and again. */
  readonly cnxnIdsMax: number
  /** Bytes of these together: `auth` in an ACL stands for them all, so they go into txns. */
  readonly cnxnIdBytesMax: number
  /** Times a connection may present a SASL token before it is done or refused. */
  readonly saslTokensMax: number
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
}

export function checkLimits(limits: Limits): void {
  assert(limits.frameBytesMax > 0, 'a frame must have room for a byte')
  assert(limits.requestsOutstandingMax > 0, 'one request must be let through')
  assert(limits.sessionsReturningMax > 0, 'one session must be let in')
  assert(limits.requestBytesOutstandingMax > 0, 'one byte of a request must be let through')
  assert(limits.replyBytesMax > limits.replyBytesPause, 'a client is paused before it is cut off')
}

/** Bounds that no configuration sets and no test needs otherwise. */

/** Characters of the long answers to four-letter words that one turn makes, all of them together. */
export const WORD_SLICE_CHARS: number = 64 * 1024
/** Long answers that are made at the same time; further ones wait. */
export const LONG_WORDS_MAX = 4
/** Milliseconds in which the client of a long answer must take something of it. */
export const WORD_STALL_MS_MAX = 10_000
/** Watches of clients that have gone that one turn clears away, all of them together. */
export const WATCHES_SWEPT_PER_TURN = 2048
/** Samples that one metric keeps for its percentiles, as many as the original. */
export const RESERVOIR_SAMPLES_MAX = 4096
/** Keys of one set of metrics; they come from clients, being names of top-level znodes. */
export const METRIC_SET_KEYS_MAX = 1000
/** Entries of the digest log, as many as the original keeps. */
export const DIGEST_LOG_ENTRIES_MAX = 1024
