import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../../src/base/limits.ts'
import { defaultMemberBounds } from '../../../src/server/bounds/member-bounds.ts'
import { checkBacklog, checkLogBatch, checkPings, checkQueues, type SeenMember } from './queues.ts'

const cnxn = {
  address: '',
  state: 'open',
  parkedReads: 0,
  unsentBytes: 0,
  largeReplyBytes: 0,
  ids: [1],
  splitter: { heldBytes: 0 },
  pending: [{ bytes: 100 }],
}
const peering = (committedBytes: number, waitingBytes = 10): SeenMember['peering'] => ({
  leader: { learners: () => [{ sid: 2, waitingBytes }] },
  replica: { committedLog: { length: 2, bytes: committedBytes } },
})
const calm: SeenMember = {
  role: 'leading',
  clients: { outstandingRequests: 0, cnxns: new Map([[1, cnxn]]) },
  peering: peering(10),
}

/** An entry of 40 bytes, as it stands in the log. */
const record: Buffer = Buffer.alloc(53)
record.writeInt32BE(40, 8)

const check = (member: SeenMember): void =>
  checkQueues('m1', member, defaultLimits, defaultMemberBounds, {
    cnxnsMost: 1,
    readBytes: 10,
    turnBytes: 10,
  })

const withCnxn = (changed: Partial<typeof cnxn>): SeenMember => ({
  ...calm,
  clients: { outstandingRequests: 0, cnxns: new Map([[1, { ...cnxn, ...changed }]]) },
})

describe('bounded queues', () => {
  it('takes what is within its bounds', () => check(calm))

  it('finds too much that waits for the log of a leader', () => {
    const slack = { cnxnsMost: 1, readBytes: 10, turnBytes: 10 }
    const max = defaultMemberBounds.leaderLogBytesMax + 10
    checkLogBatch('m1', max, defaultMemberBounds, slack)
    expect(() => checkLogBatch('m1', max + 1, defaultMemberBounds, slack)).toThrow(
      'bounded queues: m1 has bytes for its log',
    )
  })

  it('finds a learner that reads on while its log has too much to do', () => {
    const bounds = {
      ...defaultMemberBounds,
      learner: { ...defaultMemberBounds.learner, logBytesPause: 100 },
    }
    const records = (count: number): Buffer => Buffer.concat(Array<Buffer>(count).fill(record))
    checkBacklog('m1', records(4), bounds, 20)
    expect(() => checkBacklog('m1', records(5), bounds, 20)).toThrow(
      'bounded queues: m1 has bytes of its leader for its log of 200, at most 160',
    )
  })

  it('finds more pings under way than one link may have', () => {
    const max = defaultMemberBounds.leader.pingsInFlightMax
    checkPings('m1', max, defaultMemberBounds)
    expect(() => checkPings('m1', max + 1, defaultMemberBounds)).toThrow(
      'bounded queues: m1 has pings in flight',
    )
  })

  it('lets the newest entry of the committed log be as large as it is', () => {
    const replica = { committedLog: { length: 1, bytes: 2 ** 30 } }
    check({ ...calm, peering: { leader: undefined, replica } })
  })

  it('asks of a follower only how many sessions come back', () => {
    const cnxns = new Map([1, 2, 3].map((id) => [id, { ...cnxn, state: 'revalidating' }] as const))
    const limits = { ...defaultLimits, sessionsReturningMax: 2 }
    const slack = { cnxnsMost: 3, readBytes: 10, turnBytes: 10 }
    const member = { ...calm, clients: { outstandingRequests: 0, cnxns } }
    checkQueues('m1', member, limits, defaultMemberBounds, slack)
    expect(() =>
      checkQueues('m1', { ...member, role: 'following' }, limits, defaultMemberBounds, slack),
    ).toThrow('bounded queues: m1 has sessions that come back')
  })

  it.each<[string, SeenMember]>([
    ['bytes of its committed log', { ...calm, peering: peering(2 ** 30) }],
    ['requestsOutstanding', { ...calm, clients: { ...calm.clients, outstandingRequests: 2003 } }],
    ['parkedReads', withCnxn({ parkedReads: 65 })],
    ['unsentBytes', withCnxn({ unsentBytes: defaultLimits.replyBytesMax + 11 })],
    ['bytes read ahead', withCnxn({ splitter: { heldBytes: 2 ** 24 } })],
    ['bytes of requests', withCnxn({ pending: [{ bytes: 2 ** 26 }] })],
    ['cnxnIds', withCnxn({ ids: Array.from({ length: 101 }, () => 1) })],
    ['bytes for a learner', { ...calm, peering: peering(10, 2 ** 29) }],
  ])('finds too much of %s', (what, member) => {
    expect(() => check(member)).toThrow(`bounded queues: m1 has ${what}`)
  })
})
