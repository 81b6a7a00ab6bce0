import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../../src/base/limits.ts'
import { defaultMemberBounds } from '../../../src/server/bounds/member-bounds.ts'
import { checkLogBatch, checkQueues, type SeenMember } from './queues.ts'

const cnxn = {
  address: '',
  parkedReads: 0,
  unsentBytes: 0,
  largeReplyBytes: 0,
  ids: [1],
  splitter: { heldBytes: 0 },
  pending: [{ bytes: 100 }],
}
const calm: SeenMember = {
  clients: { outstandingRequests: 0, cnxns: new Map([[1, cnxn]]) },
  peering: { leader: { learners: () => [{ sid: 2, waitingBytes: 10 }] } },
}

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

  it.each<[string, SeenMember]>([
    ['requestsOutstanding', { ...calm, clients: { ...calm.clients, outstandingRequests: 2003 } }],
    ['parkedReads', withCnxn({ parkedReads: 65 })],
    ['unsentBytes', withCnxn({ unsentBytes: defaultLimits.replyBytesMax + 11 })],
    ['bytes read ahead', withCnxn({ splitter: { heldBytes: 2 ** 24 } })],
    ['bytes of requests', withCnxn({ pending: [{ bytes: 2 ** 26 }] })],
    ['cnxnIds', withCnxn({ ids: Array.from({ length: 101 }, () => 1) })],
    [
      'bytes for a learner',
      { ...calm, peering: { leader: { learners: () => [{ sid: 2, waitingBytes: 2 ** 29 }] } } },
    ],
  ])('finds too much of %s', (what, member) => {
    expect(() => check(member)).toThrow(`bounded queues: m1 has ${what}`)
  })
})
