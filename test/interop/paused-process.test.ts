/**
 * A process that stands still, as in a machine that swaps or is suspended, blames nobody for its own
 * silence: what its clients have sent meanwhile lies in the sockets. The servers are ours; 3.9.5 expires
 * the sessions in both cases.
 */
import { afterEach, describe, expect, it } from 'vitest'
import { Err } from '../../src/data/error-code.ts'
import { OpCode } from '../../src/data/op-code.ts'
import { create, exists } from '../support/requests.ts'
import { until } from '../support/until.ts'
import { WireClient } from '../support/wire-client.ts'
import { Ensemble } from './harness/ensemble.ts'
import { reportOnFailure } from './harness/ensemble-checks.ts'
import { startServer, type TestServer } from './harness/server.ts'

const TICK_MS = 500
const SESSION_MS = 1500
const PING_MS = 300
/** Longer than a session may be silent, and far below the 16 ticks of syncLimit here. */
const PAUSE_MS = 3000
const SYNC_LIMIT_TICKS = 16
const PINGING = 6
const END_MS = 20_000
const config = { tickTime: `${TICK_MS}`, syncLimit: `${SYNC_LIMIT_TICKS}` }

const kind = 'zk-server'
let ensemble: Ensemble | undefined
let server: TestServer | undefined
let pings: NodeJS.Timeout | undefined
afterEach(async () => {
  clearInterval(pings)
  await server?.stop('SIGKILL')
  await ensemble?.close()
  server = undefined
  ensemble = undefined
})

const ephemeralOf = (client: WireClient): string => `/${client.sessionId}`

/** A session with an ephemeral, which goes with it. */
async function open(port: number): Promise<WireClient> {
  const client = await WireClient.open(port, SESSION_MS)
  expect(client.timeoutMs).toBe(SESSION_MS)
  const { err } = await client.call(OpCode.create, create(ephemeralOf(client), { flags: 1 }))
  expect(err).toBe(Err.ok)
  return client
}

/**
 * Sessions that ping at these servers in turn go on through a pause, and one that falls silent with it
 * ends: expiry works as before.
 */
async function expectSurvival(ports: readonly number[], pause: () => Promise<void>): Promise<void> {
  const clients: WireClient[] = []
  for (let i = 0; i < PINGING; i += 1) clients.push(await open(ports[i % ports.length] ?? 0))
  const [first] = clients
  if (first === undefined) throw new Error('there are clients')
  let gone = 0
  for (const client of clients)
    client.onGone = () => {
      gone += 1
    }
  pings = setInterval(() => {
    for (const client of clients) client.ping()
  }, PING_MS)
  const silent = await open(ports[0] ?? 0)
  silent.vanish()
  await pause()
  // By then whoever is to be blamed has been.
  await until('the silent session ends', END_MS, async () => {
    const { err } = await first.call(OpCode.exists, exists(ephemeralOf(silent)))
    return err === Err.noNode || undefined
  })
  expect(gone).toBe(0)
  for (const client of clients) {
    const { err } = await client.call(OpCode.exists, exists(ephemeralOf(client)))
    expect(err).toBe(Err.ok)
  }
}

async function standStill(signal: (name: 'SIGSTOP' | 'SIGCONT') => void): Promise<void> {
  signal('SIGSTOP')
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  signal('SIGCONT')
}

describe(`a ${kind} that is stopped for longer than its sessions may be silent`, () => {
  it('expires none that goes on to ping, when it is alone', async () => {
    const alone = await startServer({ kind, config })
    server = alone
    // Its process group, as a terminal would.
    const signal = (name: NodeJS.Signals): unknown => process.kill(-alone.pid, name)
    await expectSurvival([alone.port], () => standStill(signal))
  })

  it('expires none that goes on to ping, and goes on to lead, when it leads', async () => {
    ensemble = await Ensemble.create({ kinds: [kind, kind, kind], config })
    reportOnFailure(ensemble)
    const leader = await ensemble.start()
    const followers = ensemble.members.filter((member) => member !== leader)
    const ports = [...followers, leader].map((member) => member.port)
    const before = await leader.ask('srvr')
    await expectSurvival(ports, () => standStill((name) => leader.signal(name)))
    expect(await ensemble.untilRoles()).toBe(leader)
    const epoch = /^Zxid: (0x[0-9a-f]+)[0-9a-f]{8}$/m
    expect(epoch.exec(await leader.ask('srvr'))?.[1]).toBe(epoch.exec(before)?.[1])
  })
})
