import { describe, expect, it } from 'vitest'
import { makeZxid } from '../../../../src/data/zxid.ts'
import {
  decodeNotification,
  encodeNotification,
} from '../../../../src/quorum/election/notification.ts'
import type { PeerState } from '../../../../src/quorum/role/peer-state.ts'

const vote = { leader: 3, zxid: makeZxid(4, 7), peerEpoch: 5 }
const written = encodeNotification('looking', vote, 9, 'server.1=...')
/** With that long in the place of the field that begins there. */
const withLong = (at: number, value: bigint): Buffer => {
  const bytes = Buffer.from(written)
  bytes.writeBigInt64BE(value, at)
  return bytes
}
const LEADER_AT = 4
const ZXID_AT = 12
const ROUND_AT = 20
const EPOCH_AT = 28

describe('a notification', () => {
  it.each<PeerState>(['looking', 'following', 'leading', 'observing'])(
    'of one that is %s is read as it was written',
    (state) => {
      for (const said of [vote, undefined])
        expect(decodeNotification(encodeNotification(state, said, 9, 'text'))).toEqual({
          state,
          vote: said,
          round: 9,
          version: 2,
        })
    },
  )

  it('of 3.4 has no configuration, and before that no epoch but that of its zxid', () => {
    const read = { state: 'looking', round: 9, version: 0 }
    expect(decodeNotification(written.subarray(0, 40))).toEqual({ ...read, vote })
    const old = { ...vote, peerEpoch: 4 }
    expect(decodeNotification(written.subarray(0, 28))).toEqual({ ...read, vote: old })
  })

  it('may have more behind its configuration', () => {
    const longer = Buffer.concat([written, Buffer.from('more')])
    expect(decodeNotification(longer)).toMatchObject({ vote })
  })

  it.each<[string, Buffer, string]>([
    ['nothing', Buffer.alloc(0), 'too short'],
    ['27 bytes', written.subarray(0, 27), 'too short'],
    ['39 bytes', written.subarray(0, 39), 'cut off'],
    ['half a configuration', written.subarray(0, -1), 'its configuration is cut off'],
    [
      'a fifth state',
      Buffer.concat([Buffer.from([0, 0, 0, 4]), written.subarray(4)]),
      'no such state',
    ],
    ['a round below all', withLong(ROUND_AT, -2n), 'no such round'],
    ['a round from which none can be counted', withLong(ROUND_AT, 2n ** 53n), 'no such round'],
    ['a zxid below all', withLong(ZXID_AT, -2n), 'no such vote'],
    ['a zxid beyond exact numbers', withLong(ZXID_AT, 2n ** 53n), 'no such vote'],
    ['an epoch that no zxid can have', withLong(EPOCH_AT, 2n ** 21n), 'no such vote'],
    ['a sid beyond exact numbers', withLong(LEADER_AT, 2n ** 53n), 'no such vote'],
  ])('with %s is refused', (_what, bytes, problem) => {
    expect(decodeNotification(bytes)).toBe(problem)
  })

  it('may not know a zxid or an epoch', () => {
    expect(decodeNotification(withLong(ZXID_AT, -1n))).toMatchObject({ vote: { zxid: -1 } })
    expect(decodeNotification(withLong(EPOCH_AT, -1n))).toMatchObject({ vote: { peerEpoch: -1 } })
  })
})
