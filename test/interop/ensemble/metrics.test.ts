/** Whatever `mntr` of the original shows to move moves here, too, or is said to have no counterpart. */
import { afterAll, expect, it } from 'vitest'
import { openAcl } from '../../../src/data/acl.ts'
import { Err } from '../../../src/data/error-code.ts'
import { OpCode } from '../../../src/data/op-code.ts'
import { writeSetWatches2 } from '../../../src/data/records.ts'
import { absentMetrics } from '../../../src/server/stats/absent-metrics.ts'
import {
  type Body,
  check,
  create,
  createTtl,
  exists,
  getChildren,
  getData,
  multi,
  pathAndInt,
  pathOnly,
  remove,
  setAcl,
  setData,
} from '../../support/requests.ts'
import { SessionClient } from '../../support/session-client.ts'
import { until } from '../../support/until.ts'
import { WireClient } from '../../support/wire-client.ts'
import { Ensemble } from '../harness/ensemble.ts'
import type { Member } from '../harness/ensemble-member.ts'
import { defaultKind, type ServerKind } from '../harness/server.ts'

const subject = defaultKind()
const judge = 'apache-3.9'
const TICK_MS = 500
const SESSION_MS = 10 * TICK_MS
const SHORT_MS = 2 * TICK_MS
const MOVED_MS = 10_000
/** More than the 500 proposals that a leader keeps, so that who missed them needs a SNAP. */
const MANY = 600
const config = {
  tickTime: String(TICK_MS),
  initLimit: '20',
  syncLimit: '10',
  enforceQuota: 'true',
  // Nobody may be synchronised from the log files.
  snapshotSizeFactor: '-1',
}
const jvmFlags = [
  '-Dzookeeper.extendedTypesEnabled=true',
  '-Dznode.container.checkIntervalMs=200',
  '-Dzookeeper.enforceQuota=true',
].join(' ')

/** Gauges of what comes and goes. */
const momentary = new Set(['outstanding_requests', 'pending_syncs'])

const ensembles: Ensemble[] = []
afterAll(async () => {
  await Promise.all(ensembles.map((ensemble) => ensemble.close()))
})

/** What a line of `mntr` is about: a summary has nine lines, and a set has each of its keys in front. */
const nameOf = (key: string): string =>
  key
    .replace(/^zk_/, '')
    .replace(/^(avg|min|max|cnt|sum|p\d+)_/, '')
    .replace(/^.+?_((read|write|quota_\w+)_per_namespace)$/, '$1')
    .replace(/^\d+_(?=ack_latency|learner_handler)/, '')

/** Adds the names of what these members show to be above nothing. */
async function noteMoved(members: readonly Member[], names: Set<string>): Promise<void> {
  for (const member of members)
    for (const line of (await member.ask('mntr')).split('\n')) {
      const [key = '', text = ''] = line.split('\t')
      if (Number(text) > 0) names.add(nameOf(key))
    }
}

const watchesSet: Body = (w) =>
  writeSetWatches2(w, {
    relativeZxid: 0,
    dataWatches: ['/m/a'],
    existWatches: ['/m/none'],
    childWatches: ['/m'],
    persistentWatches: [],
    persistentRecursiveWatches: [],
  })

/** Every operation, at one member. */
async function useAll(client: SessionClient, base: string): Promise<void> {
  const ok = async (op: number, body?: Body): Promise<void> => {
    expect([op, (await client.call(op, body)).err]).toEqual([op, Err.ok])
  }
  await ok(OpCode.create, create(base))
  await client.call(OpCode.exists, exists(`${base}/a`, true))
  await ok(OpCode.getChildren2, getChildren(base, true))
  await ok(OpCode.create2, create(`${base}/a`))
  await ok(OpCode.getData, getData(`${base}/a`, true))
  await ok(OpCode.setData, setData(`${base}/a`, 'x'))
  await ok(OpCode.getData, getData(`${base}/a`, true))
  await ok(OpCode.createContainer, create(`${base}/c`, { flags: 4 }))
  await ok(OpCode.createTTL, createTtl(`${base}/t`, 100n))
  await ok(OpCode.getACL, pathOnly(base))
  await ok(OpCode.setACL, setAcl(base, openAcl))
  await ok(OpCode.sync, pathOnly('/'))
  await ok(OpCode.addWatch, pathAndInt(base, 1))
  await ok(OpCode.checkWatches, pathAndInt(base, 3))
  await ok(OpCode.removeWatches, pathAndInt(base, 3))
  await ok(OpCode.setWatches2, watchesSet)
  await ok(OpCode.getEphemerals, pathOnly('/'))
  await ok(OpCode.getAllChildrenNumber, pathOnly(base))
  await ok(OpCode.whoAmI)
  await ok(
    OpCode.multi,
    multi([
      [OpCode.check, check(base)],
      [OpCode.setData, setData(base, 'y')],
    ]),
  )
  await ok(OpCode.multiRead, multi([[OpCode.getData, getData(base)]]))
  await ok(OpCode.delete, remove(`${base}/a`))
  // Reads behind a write, which must wait for it.
  const write = client.call(OpCode.setData, setData(base, 'z'))
  await Promise.all([write, client.call(OpCode.getData, getData(base))])
}

/** A node with a quota of one byte, which a second write is above. */
async function exceedQuota(client: SessionClient): Promise<void> {
  const quota = '/zookeeper/quota/q'
  const limits = 'count=-1,bytes=-1=;byteHardLimit=5;countHardLimit=-1'
  await client.call(OpCode.create, create('/q'))
  await client.call(OpCode.create, create(quota))
  await client.call(
    OpCode.create,
    create(`${quota}/zookeeper_limits`, { data: Buffer.from(limits) }),
  )
  const stats = Buffer.from('count=1,bytes=4')
  await client.call(OpCode.create, create(`${quota}/zookeeper_stats`, { data: stats }))
  const { err } = await client.call(OpCode.setData, setData('/q', 'too long for that'))
  expect(err).toBe(Err.quotaExceeded)
}

async function writeMany(client: SessionClient, times: number): Promise<void> {
  const sets = Array.from({ length: times }, () =>
    client.insist(OpCode.setData, setData('/m', 'more')),
  )
  for (const { err } of await Promise.all(sets)) expect(err).toBe(Err.ok)
}

/** One load with the same faults, on whichever servers; answers what has moved. */
async function movedBy(kind: ServerKind): Promise<ReadonlySet<string>> {
  const ensemble = await Ensemble.create({ kinds: [kind, kind, kind], config, jvmFlags })
  ensembles.push(ensemble)
  const found = new Set<string>()
  const leader = await ensemble.start()
  const followers = ensemble.members.filter((member) => member !== leader)
  const client = await SessionClient.start({ ports: ensemble.ports, timeoutMs: SESSION_MS })
  await client.call(OpCode.create, create('/m'))
  for (const member of ensemble.members) {
    await client.moveTo(member.port)
    await useAll(client, `/m/${member.sid}`)
  }
  await exceedQuota(client)
  // Sessions that end: closed, expired, and one whose client goes with a write under way.
  await (await WireClient.open(leader.port, SESSION_MS)).close()
  const expiring = await WireClient.open(followers[0]?.port ?? 0, SHORT_MS)
  expiring.vanish()
  await until('a session expires', MOVED_MS, async () => {
    const count = await leader.metric('zk_stale_sessions_expired')
    return count === 1 || undefined
  })
  await until('TTL nodes go', MOVED_MS, async () => {
    const { err } = await client.call(OpCode.exists, exists(`/m/${leader.sid}/t`))
    return err === Err.noNode || undefined
  })
  await noteMoved(ensemble.members, found)
  // A follower that returns, twice: to a DIFF, and to a SNAP.
  const [away] = followers
  if (away === undefined) throw new Error('there are two followers')
  await client.moveTo(leader.port)
  for (const writes of [5, MANY]) {
    await away.stop('SIGKILL')
    await writeMany(client, writes)
    await away.start()
    await away.untilServing()
  }
  await noteMoved(ensemble.members, found)
  // The leader is gone; the others elect, and it follows.
  await leader.stop('SIGKILL')
  await ensemble.untilRoles()
  await writeMany(client, 5)
  await leader.start()
  await ensemble.untilRoles()
  await client.close()
  await noteMoved(ensemble.members, found)
  await ensemble.close()
  return found
}

it('all that moves in mntr of the original moves here', async () => {
  // At the same time: most of it is to wait for elections, and for sessions to expire.
  const [theirs, ours] = await Promise.all([movedBy(judge), movedBy(subject)])
  const still = [...theirs].filter((name) => !ours.has(name))
  const absent = still.filter((name) => absentMetrics.has(name))
  console.log(`${theirs.size} move there, ${ours.size} here; no counterpart: ${absent.join(', ')}`)
  const missing = still.filter((name) => !absentMetrics.has(name) && !momentary.has(name))
  expect(missing).toEqual([])
  // The comparison is of something: a load that stirs nothing would find nothing missing.
  expect(theirs.size).toBeGreaterThan(80)
})
