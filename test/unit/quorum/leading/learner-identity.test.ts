import { describe, expect, it } from 'vitest'
import { EPOCH_MAX, makeZxid } from '../../../../src/data/zxid.ts'
import { identityOf } from '../../../../src/quorum/leading/learner-identity.ts'
import { PacketType } from '../../../../src/quorum/wire/packets.ts'
import { learnerInfo } from '../../../support/leader-rig.ts'

const OWN_CONFIG = 7
const said = (type: number, zxid: number, data: Buffer | null): unknown =>
  identityOf({ type, zxid, data, authinfo: null }, OWN_CONFIG)
const { followerInfo, observerInfo } = PacketType

describe('what a learner says first', () => {
  it('is what it is, and what it has promised', () => {
    const zxid = makeZxid(4, 2)
    const follower = { sid: 3, role: 'participant', acceptedEpoch: 4, zxid }
    expect(said(followerInfo, zxid, learnerInfo(3, OWN_CONFIG))).toMatchObject(follower)
    const observer = { sid: undefined, role: 'observer', acceptedEpoch: 4 }
    expect(said(observerInfo, zxid, null)).toMatchObject(observer)
  })

  it.each<[string, number, number, Buffer | null, string]>([
    ['another packet', PacketType.ping, 0, null, 'PING instead of FOLLOWERINFO'],
    ['a newer configuration', followerInfo, 0, learnerInfo(3, OWN_CONFIG + 1), 'newer than ours'],
    ['the last of all epochs', followerInfo, makeZxid(EPOCH_MAX, 0), null, 'out of range'],
    ['a zxid below all', followerInfo, -1, null, 'out of range'],
  ])('cannot be %s', (_what, type, zxid, data, problem) => {
    expect(said(type, zxid, data)).toContain(problem)
  })

  it('may be the epoch before the last: there is one more', () => {
    const zxid = makeZxid(EPOCH_MAX - 1, 0)
    expect(said(followerInfo, zxid, null)).toMatchObject({ acceptedEpoch: EPOCH_MAX - 1 })
  })
})
