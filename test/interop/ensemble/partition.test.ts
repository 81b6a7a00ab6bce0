/** The network between real processes is cut in every shape, under a load that is checked at the end. */
import { afterEach, describe, expect, it } from 'vitest'
import { until } from '../../support/until.ts'
import { CheckedLoad } from '../harness/checked-load.ts'
import { Ensemble } from '../harness/ensemble.ts'
import { expectEqualStates, expectNoMismatch, reportOnFailure } from '../harness/ensemble-checks.ts'
import type { Member } from '../harness/ensemble-member.ts'
import { extendedTypesFlag } from '../harness/random-tree.ts'
import { defaultKind, type ServerKind } from '../harness/server.ts'

const subject = defaultKind()
/** Short, so that members miss each other after two seconds. */
const config = { tickTime: '500', initLimit: '20', syncLimit: '4' }
const SILENCE_MS = 2000
/** With what a busy machine adds. */
const NOTICED_MS = SILENCE_MS + 15_000
const WRITES = 300
const FLAPS = 12
const FLAP_MS = 250

let ensemble: Ensemble | undefined
let load: CheckedLoad | undefined
afterEach(async () => {
  load?.abandon()
  await ensemble?.close()
})

const compositions: [ServerKind, ServerKind, ServerKind][] = [
  [subject, subject, subject],
  [subject, 'apache-3.9', subject],
]

describe.each(compositions)('between %s, %s and %s', (...kinds) => {
  it('every partition heals, and nothing that was acknowledged is lost or out of order', async () => {
    ensemble = await Ensemble.create({ kinds, config, cuttable: true, jvmFlags: extendedTypesFlag })
    reportOnFailure(ensemble)
    const leader = await ensemble.start()
    load = await CheckedLoad.start({ ports: ensemble.ports, thinkMs: 10 })
    await load.progress(WRITES)

    const all = ensemble
    const writes = load
    const phase = async <T>(name: string, run: () => Promise<T>): Promise<T> => {
      const fromMs = performance.now()
      const result = await run()
      const gapMs = writes.longestGapMs(fromMs, performance.now())
      console.log(`${name}: no write was acknowledged for ${gapMs.toFixed(0)} ms`)
      return result
    }
    const next = await phase('leader isolated', () => isolateLeader(all, leader, writes))
    expect(next).not.toBe(leader)
    await phase('follower isolated', () => isolateFollower(all, next, writes))
    await phase('split three ways', () => splitThreeWays(all, writes))
    await phase('leader heard by nobody', () => cutOneWay(all, writes))
    await phase('flapping', () => flap(all, writes))

    const problems = await load.finish(ensemble.ports, kinds.every(isOurs))
    console.log(`${kinds.join(', ')} under partitions:`, load.summary)
    expect(problems.join('\n')).toBe('')
    await expectEqualStates(ensemble)
    await expectNoMismatch(ensemble)
  })
})

/** Only where all members are ours the leader makes sure that it still leads before it answers. */
const isOurs = (kind: ServerKind): boolean => kind === 'zk-server'

async function untilNoLonger(member: Member, mode: string): Promise<void> {
  await until(`${member.name} is ${mode} no longer`, NOTICED_MS, async () =>
    (await member.mode()) === mode ? undefined : true,
  )
}

/** The others go on without it, and it serves nobody meanwhile. */
async function isolateLeader(all: Ensemble, old: Member, writes: CheckedLoad): Promise<Member> {
  const rest = all.members.filter((member) => member !== old)
  all.network.partition([rest.map((member) => member.sid)])
  await untilNoLonger(old, 'leader')
  const next = await all.untilLeader()
  await writes.progress(WRITES)
  expect(await old.mode()).toBe(undefined)
  all.network.heal()
  expect(await all.untilRoles()).toBe(next)
  await writes.progress(WRITES)
  return next
}

async function isolateFollower(all: Ensemble, leader: Member, writes: CheckedLoad): Promise<void> {
  const [lonely, ...rest] = all.members.filter((member) => member !== leader)
  if (lonely === undefined) throw new Error('nobody follows')
  all.network.partition([[leader, ...rest].map((member) => member.sid)])
  await untilNoLonger(lonely, 'follower')
  await writes.progress(WRITES)
  all.network.heal()
  expect(await all.untilRoles()).toBe(leader)
  await writes.progress(WRITES)
}

/** Nobody serves until it is over. */
async function splitThreeWays(all: Ensemble, writes: CheckedLoad): Promise<void> {
  all.network.partition([])
  await until('nobody serves', NOTICED_MS, async () => {
    const modes = await Promise.all(all.members.map((member) => member.mode()))
    return modes.every((mode) => mode === undefined) || undefined
  })
  const { acknowledged } = writes.summary
  expect(await Promise.all(all.members.map((member) => member.mode()))).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(writes.summary.acknowledged).toBe(acknowledged)
  all.network.heal()
  await all.untilRoles()
  await writes.progress(WRITES)
}

/** The leader hears its followers, and they do not hear it. */
async function cutOneWay(all: Ensemble, writes: CheckedLoad): Promise<void> {
  const leader = await all.untilLeader()
  for (const { sid } of all.members) if (sid !== leader.sid) all.network.cutOneWay(leader.sid, sid)
  await untilNoLonger(leader, 'leader')
  all.network.heal()
  await all.untilRoles()
  await writes.progress(WRITES)
}

/** Short cuts of changing shape; every other one breaks the connections. */
async function flap(all: Ensemble, writes: CheckedLoad): Promise<void> {
  for (let flap = 0; flap < FLAPS; flap += 1) {
    const lonely = (flap % 3) + 1
    const rest = [1, 2, 3].filter((sid) => sid !== lonely)
    all.network.partition(flap % 4 === 0 ? [] : [rest], flap % 2 === 0 ? 'held' : 'reset')
    await new Promise((resolve) => setTimeout(resolve, FLAP_MS))
  }
  all.network.heal()
  await all.untilRoles()
  await writes.progress(WRITES)
}
