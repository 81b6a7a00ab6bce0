/**
 * Ensembles of three in which one or two members are ours and the others are Apache's: each kind
 * leads and follows, and brings the other up to date in every way that there is.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { Err } from '../../../src/data/error-code.ts'
import { OpCode } from '../../../src/data/op-code.ts'
import { readGetDataResponse, readStat, readWatcherEvent } from '../../../src/data/records.ts'
import { create, exists, getData, pathOnly, setData } from '../../support/requests.ts'
import { SessionClient } from '../../support/session-client.ts'
import { until } from '../../support/until.ts'
import { Ensemble } from '../harness/ensemble.ts'
import { expectEqualStates, expectNoMismatch, reportOnFailure } from '../harness/ensemble-checks.ts'
import type { Member } from '../harness/ensemble-member.ts'
import type { Sync } from '../harness/quorum-bytes.ts'
import { extendedTypesFlag } from '../harness/random-tree.ts'
import { defaultKind, type ServerKind } from '../harness/server.ts'

const subject = defaultKind()
/** As long as tickTime allows: a session that expired would be a write, and end a chance of TRUNC. */
const SESSION_MS = 40_000
/** More than the 500 that a leader keeps in memory; and from its log files it must not take them. */
const MANY = 600
const config = { snapshotSizeFactor: '-1' }

let ensemble: Ensemble | undefined
let clients: SessionClient[] = []
afterEach(async () => {
  for (const client of clients) client.vanish()
  clients = []
  await ensemble?.close()
  ensemble = undefined
})

const others = (['apache-3.8', 'apache-3.9'] as const).filter((kind) => kind !== subject)
const compositions = others.flatMap((other): [ServerKind, ServerKind][] => [
  [other, subject],
  [subject, other],
])

/** The node that every write of this test sets; its version counts them. */
const COUNT = '/count'

describe.each(compositions)('two of %s, and one of %s between them', (outer, inner) => {
  let all: Ensemble
  let client: SessionClient

  async function write(times: number): Promise<void> {
    const sets = Array.from({ length: times }, () =>
      client.insist(OpCode.setData, setData(COUNT, 'more')),
    )
    for (const { err } of await Promise.all(sets)) expect(err).toBe(Err.ok)
  }

  /** Stops a follower, writes, and sees how the leader brings it up to date again. */
  async function miss(member: Member, writes: number): Promise<Sync> {
    const leader = await all.untilLeader()
    await member.stop('SIGKILL')
    await client.moveTo(leader.port)
    await write(writes)
    await member.start()
    expect(await member.untilServing()).toBe('follower')
    return lastSyncOf(member, leader)
  }

  function lastSyncOf(learner: Member, leader: Member): Sync {
    const sync = all.network.syncs.findLast((seen) => seen.learner === learner.sid)
    expect(sync?.leader).toBe(leader.sid)
    if (sync === undefined) throw new Error('no synchronisation was seen')
    return sync
  }

  /** The leader dies with a proposal in its log that nobody else has; resolves with the next one. */
  async function dieWithUnseenProposal(leader: Member): Promise<Member> {
    await client.moveTo(leader.port)
    const marker = `unseen-${leader.sid}-${leader.kind}`
    all.network.partition([[leader.sid]])
    const unseen = client.call(OpCode.setData, setData(COUNT, marker)).catch(() => 'lost')
    await until(`${marker} in the leader's log`, 20_000, () => logHolds(leader, marker))
    await leader.stop('SIGKILL')
    expect(await unseen).toBe('lost')
    all.network.dropHeld()
    all.network.heal()
    return await all.untilRoles()
  }

  it('elects, leads, follows, and synchronises either kind by the other', async () => {
    ensemble = await Ensemble.create({
      kinds: [outer, inner, outer],
      config,
      cuttable: true,
      jvmFlags: extendedTypesFlag,
    })
    all = ensemble
    reportOnFailure(all)
    const [first, middle, last] = [all.member(1), all.member(2), all.member(3)]
    expect(await all.start(1, 2)).toBe(middle)
    await last.start()
    expect(await last.untilServing()).toBe('follower')
    client = await SessionClient.start({ ports: all.ports, timeoutMs: SESSION_MS })
    clients.push(client)
    expect((await client.call(OpCode.create, create(COUNT))).err).toBe(Err.ok)

    // The inner kind leads.
    await useSessionEverywhere(all)
    expect((await miss(last, 5)).mode).toBe('DIFF')
    expect((await miss(first, MANY)).mode).toBe('SNAP')
    expect(await dieWithUnseenProposal(middle)).toBe(last)
    // Now the outer kind does, and takes back what the other had seen alone.
    await middle.start()
    expect(await middle.untilServing()).toBe('follower')
    expect(lastSyncOf(middle, last).mode).toBe('TRUNC')
    expect((await miss(middle, MANY)).mode).toBe('SNAP')
    // In this order: a leader that keeps nothing in memory cannot tell how far to TRUNC.
    expect((await miss(middle, 5)).mode).toBe('DIFF')
    expect(await dieWithUnseenProposal(last)).toBe(middle)
    await last.start()
    expect(await last.untilServing()).toBe('follower')
    expect(lastSyncOf(last, middle).mode).toBe('TRUNC')

    await write(1)
    const state = await expectEqualStates(all)
    expect(state.get(COUNT)?.stat.version).toBe(5 + MANY + 5 + MANY + 1)
    await expectNoMismatch(all)
  })

  /** One session with an ephemeral and a watch, at each member in turn. */
  async function useSessionEverywhere(all: Ensemble): Promise<void> {
    const session = await SessionClient.start({ ports: all.ports, timeoutMs: SESSION_MS })
    clients.push(session)
    await session.call(OpCode.create, create('/mine', { flags: 1 }))
    const { sessionId } = session
    const events: string[] = []
    session.onEvent = (event) => {
      events.push(readWatcherEvent(event).path ?? '')
    }
    for (const { port } of [...all.members, ...all.members]) {
      await session.moveTo(port)
      await session.call(OpCode.sync, pathOnly('/'))
      const { body } = await session.call(OpCode.exists, exists('/mine', true))
      expect(readStat(body).ephemeralOwner).toBe(sessionId)
      const value = `at ${port}`
      expect((await session.call(OpCode.setData, setData('/mine', value))).err).toBe(Err.ok)
      expect(events.splice(0)).toEqual(['/mine'])
      const read = readGetDataResponse((await session.call(OpCode.getData, getData('/mine'))).body)
      expect(read.data?.toString()).toBe(value)
    }
    expect([session.sessionId, session.sessionsLost]).toEqual([sessionId, 0])
    await session.close()
    await client.insist(OpCode.sync, pathOnly('/'))
    expect((await client.insist(OpCode.exists, exists('/mine'))).err).toBe(Err.noNode)
  }
})

function logHolds(member: Member, marker: string): true | undefined {
  const folder = join(member.dataDir, 'version-2')
  const logs = readdirSync(folder).filter((name) => name.startsWith('log.'))
  return logs.some((name) => readFileSync(join(folder, name)).includes(marker)) || undefined
}
