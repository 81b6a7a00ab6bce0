import { expect, test } from 'vitest'
import { runFourLetterWord } from '../../../src/admin/four-letter-words.ts'
import type { QuorumView, ServerMode, ServerView } from '../../../src/admin/server-view.ts'
import { SizeStats } from '../../../src/base/sizes.ts'
import {
  golden,
  makeCnxn,
  makeServerStats,
  makeStats,
  makeView,
} from '../../support/view-fixture.ts'

const MEMBERSHIP = [
  'server.1=127.0.0.1:31801:31811:participant',
  'server.2=127.0.0.1:31802:31812:participant',
  'server.3=127.0.0.1:31803:31813:participant',
  'server.4=127.0.0.1:31804:31814:observer',
  'version=0',
].join('\n')

function memberView(mode: ServerMode, id: number, changes: Partial<ServerView>): ServerView {
  const quorum: QuorumView = {
    peerState: 'following - broadcast',
    initLimit: 10,
    syncLimit: 5,
    electionAlg: 3,
    electionPort: String(31810 + id),
    quorumPort: String(31800 + id),
    isObserver: mode === 'observer',
    quorumSize: 3,
    isStayingOut: false,
    membership: MEMBERSHIP,
    observerMasterId: undefined,
    syncedObservers: 0,
    leader: undefined,
  }
  const { host, settings } = makeView()
  return makeView({
    mode,
    lastProcessedZxid: 2 ** 32 + 4,
    nodeCount: 7,
    host: { ...host, dataDirBytes: 66189, logDirBytes: 66189 },
    settings: {
      ...settings,
      clientPort: 31820 + id,
      dataDir: `<BASE>/d${id}/version-2`,
      dataLogDir: `<BASE>/d${id}/version-2`,
      tickTimeMs: 1000,
      minSessionTimeoutMs: 2000,
      maxSessionTimeoutMs: 20000,
      serverId: id,
    },
    quorum,
    ...changes,
  })
}

function ask(word: string, view: ServerView): string {
  return [...runFourLetterWord(word, view, '*', Buffer.alloc(0))].join('')
}

test('conf has the membership on every member', () => {
  const member = (mode: ServerMode, id: number) => ask('conf', memberView(mode, id, {}))
  expect(member('follower', 1)).toBe(golden('quorum-follower-conf'))
  expect(member('leader', 3)).toBe(golden('quorum-leader-conf'))
  expect(member('observer', 4)).toBe(golden('quorum-observer-conf'))
})

test('a follower: srvr, stat and cons', () => {
  const session = makeCnxn({
    port: 56316,
    sessionId: 0x1000029e1ee0000n,
    sessionTimeoutMs: 20000,
    establishedWall: 1795302579816,
    stats: makeStats({
      received: 4,
      sent: 4,
      lastOp: 'PING',
      cxid: 2,
      zxid: 2 ** 32 + 4,
      lastResponseMono: 2746293,
      latenciesMs: [13, 13, 0, 8, 1],
    }),
  })
  const figures = { minMs: 1, maxMs: 13, count: 3, sumMs: 18 }
  const view = (received: number, sent: number, asking: number) =>
    memberView('follower', 1, {
      cnxns: [session, makeCnxn({ port: asking })],
      cnxnCount: 2,
      stats: makeServerStats({ received, sent, ...figures }),
    })
  expect(ask('srvr', view(6, 5, 1))).toBe(golden('quorum-follower-srvr'))
  expect(ask('stat', view(7, 6, 56326))).toBe(golden('quorum-follower-stat'))
  expect(ask('cons', view(8, 7, 56360))).toBe(golden('quorum-follower-cons'))
  expect(ask('isro', view(8, 7, 1))).toBe(golden('quorum-follower-isro'))
})

test('a leader ends srvr and stat with the sizes of its proposals, and srst forgets them', () => {
  const proposalSizes = new SizeStats()
  for (const bytes of [48, 87, 86]) proposalSizes.add(bytes)
  const base = memberView('leader', 3, {
    cnxnCount: 2,
    stats: makeServerStats({ received: 5, sent: 4, minMs: 1, maxMs: 5, count: 3, sumMs: 11 }),
  })
  if (base.quorum === undefined) throw new Error('a member has a quorum')
  const leader = {
    learners: 3,
    syncedFollowers: 2,
    syncedNonVotingFollowers: 0,
    pendingSyncs: 0,
    leadingSinceMono: 0,
    proposalSizes,
    outsiders: [],
  }
  const view = { ...base, quorum: { ...base.quorum, leader } }
  expect(ask('srvr', view)).toBe(golden('quorum-leader-srvr'))
  const quorum = { ...view.quorum, leader: { ...leader, outsiders: [5] } }
  expect(ask('srvr', { ...view, quorum })).toMatch(/\/87\nMembers that stay out: 5\n$/)
  ask('srst', view)
  expect(ask('srvr', view).endsWith('\nProposal sizes last/min/max: -1/-1/-1\n')).toBe(true)
})

test('an observer: srvr, stat and cons', () => {
  const view = (received: number, sent: number, asking: number) =>
    memberView('observer', 4, {
      cnxns: [makeCnxn({ port: asking })],
      stats: makeServerStats({ received, sent, minMs: 0, maxMs: 0, count: 0, sumMs: 0 }),
    })
  expect(ask('srvr', view(2, 1, 1))).toBe(golden('quorum-observer-srvr'))
  expect(ask('stat', view(3, 2, 35352))).toBe(golden('quorum-observer-stat'))
  expect(ask('cons', view(4, 3, 35398))).toBe(golden('quorum-observer-cons'))
})
