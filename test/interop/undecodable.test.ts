/** What 3.9.5 logs and proposes for a write that it cannot decode, and whether ours lives with it. */
import { afterEach, describe, expect, it } from 'vitest'
import { OpCode } from '../../src/data/op-code.ts'
import { create, exists } from '../support/requests.ts'
import { until } from '../support/until.ts'
import { WireClient } from '../support/wire-client.ts'
import { Ensemble } from './harness/ensemble.ts'
import { type ServerKind, startServer, type TestServer } from './harness/server.ts'

const SESSION_MS = 20_000
const READY_MS = 30_000
let running: TestServer | undefined
let ensemble: Ensemble | undefined
afterEach(async () => {
  await running?.stop('SIGKILL')
  running = undefined
  await ensemble?.close()
  ensemble = undefined
})

/** A `delete` of three bytes. Where 3.9.5 leads an ensemble it never answers it. */
const deleteHalf = (client: WireClient): ReturnType<WireClient['call']> =>
  client.call(OpCode.delete, (w) => w.writeBytes(Buffer.alloc(3)))

describe('a write that the original cannot decode', () => {
  it('leaves a log on which ours starts, and then the original again', async () => {
    const open = async (kind: ServerKind, dataDir?: string): Promise<TestServer> =>
      await startServer({ kind, config: { preAllocSize: '64' }, ...(dataDir && { dataDir }) })
    running = await open('apache-3.9')
    const { dataDir } = running
    const client = await WireClient.open(running.port, SESSION_MS)
    const made = await client.call(OpCode.create, create('/before'))
    for (let i = 0; i < 2; i += 1) {
      const { zxid, err } = await deleteHalf(client)
      expect([zxid, err]).toEqual([made.zxid, -5])
    }
    await client.call(OpCode.create, create('/after'))
    client.vanish()
    for (const kind of ['zk-server', 'apache-3.9'] as const) {
      await running.stop('SIGKILL')
      running = await open(kind, dataDir)
      const again = await WireClient.open(running.port, SESSION_MS)
      for (const path of ['/before', '/after'])
        expect((await again.call(OpCode.exists, exists(path))).err).toBe(0)
      await deleteHalf(again)
      again.vanish()
    }
  }, 120_000)

  it('that its leader proposes stops that leader, and no follower of ours', async () => {
    ensemble = await Ensemble.create({ kinds: ['zk-server', 'zk-server', 'apache-3.9'] })
    const [first, second, original] = ensemble.members
    if (first === undefined || second === undefined || original === undefined) return
    await original.start()
    await first.start()
    expect((await ensemble.untilLeader()).kind).toBe('apache-3.9')
    await second.start()
    await until('the second follows', READY_MS, async () =>
      (await second.mode()) === 'follower' ? true : undefined,
    )
    const bad = await WireClient.open(original.port, SESSION_MS)
    await bad.call(OpCode.create, create('/before'))
    deleteHalf(bad).catch(() => {})
    await until('the original has proposed its echo', READY_MS, async () =>
      original.log().includes('Failed to process') ? true : undefined,
    )
    expect([await first.mode(), await second.mode()]).toEqual(['follower', 'follower'])
    // Nothing commits there any more, with followers of either kind (spec 07). What it has sent comes
    // before its end, so that those who go on have seen the echo.
    await original.stop('SIGKILL')
    bad.vanish()
    const leader = await ensemble.untilLeader()
    const reasons = [
      ...(first.log() + second.log()).matchAll(/"reason":"([^"]*)"[^}]*"learning ends"/g),
    ]
    expect(reasons.length).toBeGreaterThan(0)
    for (const [, reason] of reasons) expect(reason).toBe('the connection to the leader is broken')
    const good = await WireClient.open(leader.port, SESSION_MS)
    expect((await good.call(OpCode.create, create('/after'))).err).toBe(0)
    // What was logged there is what these are now brought up to date from.
    const follower = leader === first ? second : first
    await original.start()
    await until('the original follows', READY_MS, async () =>
      (await original.mode()) === 'follower' ? true : undefined,
    )
    await follower.stop('SIGKILL')
    expect((await good.call(OpCode.create, create('/more'))).err).toBe(0)
    await follower.start()
    await until('a member of ours follows', READY_MS, async () =>
      (await follower.mode()) === 'follower' ? true : undefined,
    )
    for (const { port } of [follower, original]) {
      const reader = await WireClient.open(port, SESSION_MS)
      await reader.call(OpCode.sync, (w) => w.writeString('/'))
      for (const path of ['/before', '/after', '/more'])
        expect((await reader.call(OpCode.exists, exists(path))).err).toBe(0)
      reader.vanish()
    }
    good.vanish()
  }, 120_000)
})
