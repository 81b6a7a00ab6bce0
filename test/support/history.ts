/**
 * What clients have asked of a few registers (nodes that are only set and read), and what came of it.
 * All times are of one clock, in milliseconds; every value is written at most once.
 */
export interface Write {
  readonly kind: 'write'
  readonly client: number
  /** The order in which this client has sent, over all its connections. */
  readonly seq: number
  readonly register: string
  readonly value: string
  /** The version that the register must have; -1: any. */
  readonly expected: number
  readonly invokedMs: number
  readonly returnedMs: number
  /**
   * `refused`: BadVersion, so it has no effect. `unknown`: the connection ended before an answer, and
   * returnedMs is when; it may have taken effect at any time since it was sent, or never.
   */
  readonly outcome: 'ok' | 'refused' | 'unknown'
  /** Of the answer; 0 where there is none. */
  readonly zxid: number
  /** The version that the write has made; -1 unless it is `ok`. */
  readonly version: number
}

export interface Read {
  readonly kind: 'read'
  readonly client: number
  readonly seq: number
  readonly register: string
  readonly value: string
  readonly version: number
  /** Zxid of the reply's header: what the server had applied. */
  readonly zxid: number
  /** Where a sync went before, that of the sync. */
  readonly invokedMs: number
  readonly returnedMs: number
  readonly synced: boolean
}

export type Operation = Write | Read
