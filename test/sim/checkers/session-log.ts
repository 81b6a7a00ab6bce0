import type { SessionLog } from '../history.ts'

/** A session of a client in which nothing has happened yet, for histories made by hand. */
export function sessionLog(client = 1): SessionLog {
  return {
    id: 7n,
    client,
    timeoutMs: 1000,
    askedAt: 0,
    ops: [],
    received: [],
    watches: [],
    persistent: [],
    identity: undefined,
    lastZxid: 0,
    end: undefined,
  }
}
