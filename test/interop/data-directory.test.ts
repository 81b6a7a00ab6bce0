import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { Prng } from '../../src/base/prng.ts'
import { OpCode } from '../../src/data/op-code.ts'
import { create } from '../support/requests.ts'
import { until } from '../support/until.ts'
import { WireClient } from '../support/wire-client.ts'
import { extendedTypesFlag, type NodeText, randomWrite, stateOf } from './harness/random-tree.ts'
import { fourLetterWord, type ServerKind, startServer, type TestServer } from './harness/server.ts'

/** As short as the rules let it be, for many snapshots and logs; nothing is reaped while we look. */
const config: Record<string, string> = {
  preAllocSize: '64',
  snapCount: '150',
  extendedTypesEnabled: 'true',
}
const jvmFlags = extendedTypesFlag
const SESSION_MS = 40_000
const WRITES = 900

let running: TestServer | undefined
afterEach(async () => {
  await running?.stop('SIGKILL')
  running = undefined
})

async function write(port: number, prng: Prng): Promise<void> {
  const clients = [await WireClient.open(port, SESSION_MS), await WireClient.open(port, SESSION_MS)]
  const gone = await WireClient.open(port, SESSION_MS)
  await clients[0]?.call(OpCode.create, create('/top'))
  let calls: Promise<unknown>[] = []
  for (let i = 0; i < WRITES; i += 1) {
    const client = clients[prng.below(2)]
    if (client !== undefined) calls.push(randomWrite(client, prng))
    if (i % 50 === 0) calls.push(gone.call(OpCode.create, create(`/top/gone-${i}`, { flags: 1 })))
    if (calls.length === 20) {
      await Promise.all(calls)
      calls = []
    }
  }
  await Promise.all(calls)
  // A path longer than any buffer that was made for one.
  await clients[0]?.call(OpCode.create, create(`/top/${'long'.repeat(200)}`))
  await gone.close()
  // The others leave their sessions and ephemerals behind.
  for (const client of clients) client.vanish()
}

async function open(
  kind: ServerKind,
  dataDir: string | undefined,
  method: string,
): Promise<TestServer> {
  const directory = dataDir === undefined ? {} : { dataDir }
  const compression: Record<string, string> =
    method === '' ? {} : { 'snapshot.compression.method': method }
  return await startServer({ kind, config: { ...config, ...compression }, jvmFlags, ...directory })
}

const metric = (text: string, name: string): string | undefined =>
  new RegExp(`^${name}\\s+(\\S+)$`, 'm').exec(text)?.[1]

/** What either server says of digests that it has compared while it loaded. */
async function expectNoMismatch(server: TestServer): Promise<void> {
  const text = await fourLetterWord(server.port, 'mntr')
  expect(metric(text, 'zk_digest_mismatches_count')).toBe('0')
  expect(server.log()).not.toMatch(/digest (differs|mismatch)|Digests are not matching/i)
}

const numberOf = (name: string): number => Number.parseInt(name.split('.')[1] ?? '', 16)

function newestSnapshot(dataDir: string): string | undefined {
  return readdirSync(join(dataDir, 'version-2'))
    .filter((name) => name.startsWith('snapshot.'))
    .sort((a, b) => numberOf(a) - numberOf(b))
    .at(-1)
}

/** A kill leaves a snapshot of the original cut short, under its final name (spec 07): not to be read. */
async function untilSnapshotsAreWhole({ kind, log }: TestServer): Promise<void> {
  if (kind === 'zk-server') return
  await until('the snapshot is written', SESSION_MS, () =>
    log().lastIndexOf('Snapshot taken in') > log().lastIndexOf('Snapshotting:') ? true : undefined,
  )
}

/** The names of the snapshots that the server says it has read. */
function snapshotsRead(server: TestServer): string[] {
  const pattern =
    server.kind === 'zk-server'
      ? /"snapshot":"(snapshot\.[^"]+)"/g
      : /Reading snapshot \S*\/(snapshot\.\S+)/g
  return [...server.log().matchAll(pattern)].flatMap(([, name]) => name ?? [])
}

describe.each<[ServerKind, string]>([
  ['apache-3.8', ''],
  ['apache-3.8', 'snappy'],
  ['apache-3.9', 'gz'],
  ['apache-3.9', ''],
])('a data directory of %s, packed as "%s"', (apache, method) => {
  it('goes there and back again, with writes at every stop', async () => {
    const prng = new Prng(2026)
    let dataDir: string | undefined
    let before: Map<string, NodeText> | undefined
    for (const kind of [apache, 'zk-server', apache, 'zk-server', 'zk-server'] as const) {
      const newest = dataDir === undefined ? undefined : newestSnapshot(dataDir)
      running = await open(kind, dataDir, method)
      dataDir = running.dataDir
      const after = await stateOf(running.port)
      if (before !== undefined) expect([...after].sort()).toEqual([...before].sort())
      await expectNoMismatch(running)
      // Not passed over for an older one, and more of the log.
      if (newest !== undefined) expect(snapshotsRead(running)).toEqual([newest])
      await write(running.port, prng)
      before = await stateOf(running.port)
      expect(before.size).toBeGreaterThan(30)
      await untilSnapshotsAreWhole(running)
      await running.stop('SIGKILL')
    }
  })
})

/** Of a kilobyte each: more than fits in a txn, and in what 3.9.5 reads of a log at once. */
const LONG_NAMES = 3000
const longName = (at: number): string => `/top/${'long'.repeat(250)}-${at}`

async function zxidOf(port: number): Promise<number> {
  const zxid = /^Zxid: (0x[0-9a-f]+)$/m.exec(await fourLetterWord(port, 'srvr'))?.[1]
  return Number(zxid)
}

describe('the end of a session with more ephemerals than fit in a txn', () => {
  it('is read by 3.9.5', async () => {
    running = await startServer({ kind: 'zk-server' })
    const { port, dataDir } = running
    const stays = await WireClient.open(port, SESSION_MS)
    await stays.call(OpCode.create, create('/top'))
    await stays.call(OpCode.create, create('/top/stays', { flags: 1 }))
    const goes = await WireClient.open(port, SESSION_MS)
    const creates: Promise<unknown>[] = []
    for (let at = 0; at < LONG_NAMES; at += 1)
      creates.push(goes.call(OpCode.create, create(longName(at), { flags: 1 })))
    await Promise.all(creates)
    const full = await zxidOf(port)
    await goes.close()
    // One txn takes away what does not fit in the last.
    expect((await zxidOf(port)) - full).toBe(2)
    const before = await stateOf(port)
    expect(before.get('/top')?.stat).toMatchObject({ numChildren: 1, cversion: 2 * LONG_NAMES + 1 })
    await running.stop('SIGKILL')

    running = await startServer({ kind: 'apache-3.9', dataDir })
    expect([...(await stateOf(running.port))].sort()).toEqual([...before].sort())
    await expectNoMismatch(running)
    stays.vanish()
  })
})
