import { describe, expect, it } from 'vitest'
import { checkExpiryBlame, checkSilenceBlame, type Expiry, type Unread } from './blame.ts'

const SESSION = 0x1234n
const idBytes = Buffer.from([9, 0, 0, 0, 0, 0, 0, 0x12, 0x34])

const expiry = (unread: Readonly<Record<string, Unread>>, more: Partial<Expiry> = {}): Expiry => ({
  sessionId: SESSION,
  client: 'c1',
  leader: 'm1',
  now: 10_000,
  tickMs: 200,
  hosts: ['m1', 'm2'],
  unreadAt: (host) => (unread[host] === undefined ? [] : [unread[host]]),
  pendingAt: () => 0,
  pauseOf: () => undefined,
  ...more,
})

const from = (host: string, since: number, bytes = Buffer.alloc(4)): Unread => ({
  from: host,
  since,
  bytes,
})

describe('no blame', () => {
  it('finds a session that expires while its heartbeat lies unread on a machine that is awake', () => {
    expect(() => checkExpiryBlame(expiry({ m1: from('c1', 9000) }))).toThrow(
      /no blame: session 0x1234/,
    )
    expect(() => checkExpiryBlame(expiry({ m2: from('c1', 9000) }))).toThrow(/has said to m2/)
  })

  it('finds one of which a follower has told, to a leader that stood still', () => {
    const paused = expiry(
      { m1: from('m2', 8000, idBytes) },
      {
        pauseOf: () => ({ until: 10_000, deadline: 8500 }),
      },
    )
    expect(() => checkExpiryBlame(paused)).toThrow(/no blame/)
  })

  it('takes what came too late, from others, or while requests of its own wait', () => {
    checkExpiryBlame(expiry({ m1: from('c1', 9900) }))
    checkExpiryBlame(expiry({ m1: from('c2', 9000) }))
    checkExpiryBlame(expiry({ m1: from('m2', 9000) }))
    checkExpiryBlame(expiry({ m1: from('c1', 9000) }, { pendingAt: () => 1 }))
    const late = { pauseOf: () => ({ until: 10_000, deadline: 8500 }) }
    checkExpiryBlame(expiry({ m1: from('c1', 8600) }, late))
    checkExpiryBlame(
      expiry({ m2: from('c1', 9000) }, { pauseOf: () => ({ until: 11_000, deadline: 0 }) }),
    )
  })

  it('finds a peer that is given up for the pause of who waits for it', () => {
    const silence = { host: 'm1', peer: 'm2', limitMs: 1000, now: 9000 }
    const unread = [from('m2', 7200)]
    expect(() => checkSilenceBlame({ ...silence, unread, pausedFrom: 7000 })).toThrow(
      /no blame: m1/,
    )
    checkSilenceBlame({ ...silence, unread, pausedFrom: undefined })
    checkSilenceBlame({ ...silence, unread: [from('m3', 7200)], pausedFrom: 7000 })
    checkSilenceBlame({ ...silence, unread: [from('m2', 8800)], pausedFrom: 7000 })
  })
})
