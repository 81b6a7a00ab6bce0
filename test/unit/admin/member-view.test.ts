import { describe, expect, it } from 'vitest'
import { runFourLetterWord } from '../../../src/admin/four-letter-words.ts'
import { MemberView } from '../../../src/admin/member-view.ts'
import { SizeStats } from '../../../src/base/sizes.ts'
import type { EnsembleView, LeadingView } from '../../../src/server/ensemble/ensemble-view.ts'
import { membershipOf } from '../../../src/server/ensemble/membership-of.ts'
import { configurationOf } from '../../support/ensemble-shape.ts'
import { MemoryServer } from '../../support/memory-server.ts'
import { golden, makeView } from '../../support/view-fixture.ts'

const leading: LeadingView = {
  learners: 3,
  syncedFollowers: 2,
  syncedNonVotingFollowers: 0,
  syncedObservers: 1,
  pendingSyncs: 0,
  sinceMono: 1_000_000 - 1437,
  proposalSizes: new SizeStats(),
  outsiders: [],
}

/** The membership is that of the server which is asked. */
type Part = Omit<EnsembleView, 'membership'>

const following: Part = {
  state: 'following',
  isServing: true,
  leaderSid: 3,
  stayingOut: undefined,
  leading: undefined,
}

/** The member of the recorded ensemble that has this id. */
function serverOf(myid: number): MemoryServer {
  return new MemoryServer({
    settings: {
      dataDir: `<BASE>/d${myid}`,
      clientPort: String(31820 + myid),
      tickTime: '1000',
      initLimit: '10',
      syncLimit: '5',
      'server.1': '127.0.0.1:31801:31811',
      'server.2': '127.0.0.1:31802:31812',
      'server.3': '127.0.0.1:31803:31813',
      'server.4': '127.0.0.1:31804:31814:observer',
      myid: String(myid),
    },
  })
}

function viewOf({ config }: MemoryServer, part: Part | undefined): EnsembleView | undefined {
  const membership = membershipOf(config)
  return part && membership && { ...part, membership }
}

/** Asks that member. */
function ask(word: string, myid: number, part: Part | undefined): string {
  const server = serverOf(myid)
  return askWith(word, server, viewOf(server, part))
}

function askWith(word: string, server: MemoryServer, view: EnsembleView | undefined): string {
  const host = { ...makeView().host, dataDirBytes: 66189, logDirBytes: 66189 }
  const port = (): number => server.config.clientPort ?? 0
  const build = { version: '3.9', builtOn: 'today' }
  const member = new MemberView(server.member, build, host, port, view)
  return [...runFourLetterWord(word, member, '*', Buffer.alloc(0))].join('')
}

/** The value of a key of `mntr`. */
const monitored = (text: string, key: string): string | undefined =>
  new RegExp(`^zk_${key}\\t(.*)$`, 'm').exec(text)?.[1]

describe('a member of an ensemble', () => {
  it('tells its configuration as the original', () => {
    const observing: Part = { ...following, state: 'observing' }
    const leads: Part = { ...following, state: 'leading', leading }
    expect(ask('conf', 1, following)).toBe(golden('quorum-follower-conf'))
    expect(ask('conf', 3, leads)).toBe(golden('quorum-leader-conf'))
    expect(ask('conf', 4, observing)).toBe(golden('quorum-observer-conf'))
  })

  it('tells of its ensemble as it is now', () => {
    const server = serverOf(1)
    const view = viewOf(server, { ...following, state: 'leading', leading })
    const membershipNow = (): readonly (string | undefined)[] => [
      monitored(askWith('mntr', server, view), 'quorum_size'),
      /^version=.*$/m.exec(askWith('conf', server, view))?.[0],
    ]
    expect(membershipNow()).toEqual(['3', 'version=0'])
    const { membership } = view ?? {}
    membership?.propose(configurationOf({ voters: [1, 2, 3, 5, 6] }, 0xab))
    expect(membershipNow()).toEqual(['3', 'version=0'])
    membership?.commit(0xab)
    expect(membershipNow()).toEqual(['5', 'version=ab'])
  })

  it('tells its mode', () => {
    const modeOf = (state: EnsembleView['state']): string | undefined =>
      /^Mode: .*$/m.exec(ask('srvr', 1, { ...following, state }))?.[0]
    expect(modeOf('leading')).toBe('Mode: leader')
    expect(modeOf('following')).toBe('Mode: follower')
    expect(modeOf('observing')).toBe('Mode: observer')
    expect(/^Mode: .*$/m.exec(ask('srvr', 1, undefined))?.[0]).toBe('Mode: standalone')
  })

  it('tells what only a leader knows', () => {
    const proposalSizes = new SizeStats()
    for (const bytes of [60, 48, 87, 86]) proposalSizes.add(bytes)
    const view: Part = {
      ...following,
      state: 'leading',
      leading: { ...leading, proposalSizes },
    }
    expect(ask('srvr', 3, view)).toMatch(/\nProposal sizes last\/min\/max: 86\/48\/87\n$/)
    const [ours, recorded] = [ask('mntr', 3, view), golden('quorum-leader-mntr')]
    const keys = ['server_state', 'peer_state', 'quorum_size', 'learners', 'synced_followers']
    const more = ['synced_non_voting_followers', 'synced_observers', 'pending_syncs']
    const sizes = ['last_proposal_size', 'min_proposal_size', 'max_proposal_size', 'leader_uptime']
    for (const key of [...keys, ...more, ...sizes])
      expect([key, monitored(ours, key)]).toEqual([key, monitored(recorded, key)])
    expect(monitored(ask('mntr', 1, following), 'learners')).toBe(undefined)
  })

  it('tells whom an observer observes', () => {
    const text = ask('mntr', 4, { ...following, state: 'observing' })
    expect(monitored(text, 'observer_master_id')).toBe('3')
    expect(monitored(text, 'peer_state')).toBe('observing - broadcast')
    expect(monitored(ask('mntr', 1, following), 'observer_master_id')).toBe(undefined)
  })

  it('leaves the deadlines of sessions to the leader', () => {
    expect(ask('dump', 1, following)).toMatch(/^SessionTracker dump:\nGlobal Sessions\(0\):\n/)
    const leads: Part = { ...following, state: 'leading', leading }
    expect(ask('dump', 3, leads)).toMatch(/^SessionTracker dump:\nSession Sets \(0\)\/\(0\):\n/)
  })

  it('gives deadlines of sessions only where they are its own', () => {
    const server = serverOf(1)
    server.connect()
    const deadlines = (part: Part | undefined): readonly unknown[] => {
      const { host } = makeView()
      const build = { version: '3.9', builtOn: 'today' }
      const member = new MemberView(server.member, build, host, () => 1, viewOf(server, part))
      return [...member.sessions.global].map(({ expiresMono }) => typeof expiresMono)
    }
    expect(deadlines(undefined)).toEqual(['number'])
    expect(deadlines({ ...following, state: 'leading', leading })).toEqual(['number'])
    expect(deadlines(following)).toEqual(['undefined'])
  })

  it('tells that it does not serve, and why it is there at all', () => {
    const looking: Part = {
      state: 'looking',
      isServing: false,
      leaderSid: undefined,
      stayingOut: undefined,
      leading: undefined,
    }
    for (const word of ['srvr', 'stat', 'mntr', 'isro', 'ruok'])
      expect([word, ask(word, 1, looking)]).toEqual([word, golden(`noquorum-${word}`)])
  })

  it('tells that its own history keeps it out, behind what tools look for', () => {
    const stayingOut = { leader: 3, leaderEpoch: 1, currentEpoch: 6, lastZxid: 6 * 2 ** 32 }
    const view: Part = { ...following, isServing: false, stayingOut }
    const why = 'It stays out: its history is beyond the epoch of the leader\n'
    for (const word of ['srvr', 'stat', 'mntr'])
      expect(ask(word, 1, view)).toBe(golden(`noquorum-${word}`) + why)
    for (const word of ['isro', 'ruok']) expect(ask(word, 1, view)).toBe(golden(`noquorum-${word}`))
  })

  it('tells how many members a leader keeps out', () => {
    const leads: Part = { ...following, state: 'leading', leading }
    expect(monitored(ask('mntr', 3, leads), 'members_staying_out')).toBe('0')
    const two = { ...leads, leading: { ...leading, outsiders: [1, 2] } }
    expect(monitored(ask('mntr', 3, two), 'members_staying_out')).toBe('2')
  })
})
