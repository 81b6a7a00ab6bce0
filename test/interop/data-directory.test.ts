import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { Prng } from '../../src/base/prng.ts'
import { openAcl } from '../../src/data/acl.ts'
import { OpCode } from '../../src/data/op-code.ts'
import {
  type ACL,
  readGetACLResponse,
  readGetChildren2Response,
  readGetDataResponse,
  type Stat,
} from '../../src/data/records.ts'
import {
  check,
  create,
  createTtl,
  getChildren,
  getData,
  multi,
  pathOnly,
  remove,
  setAcl,
  setData,
} from '../support/requests.ts'
import { fourLetterWord, type ServerKind, startServer, type TestServer } from './harness/server.ts'
import { WireClient } from './harness/wire-client.ts'

/** As short as the rules let it be, for many snapshots and logs; nothing is reaped while we look. */
const config: Record<string, string> = {
  preAllocSize: '64',
  snapCount: '150',
  extendedTypesEnabled: 'true',
}
const jvmFlags = '-Dzookeeper.extendedTypesEnabled=true'
const SESSION_MS = 40_000
const WRITES = 900

const readable: readonly (readonly ACL[])[] = [
  openAcl,
  [
    { perms: 31, id: { scheme: 'world', id: 'anyone' } },
    { perms: 9, id: { scheme: 'ip', id: '10.0.0.1' } },
  ],
  [{ perms: 15, id: { scheme: 'world', id: 'anyone' } }],
]

let running: TestServer | undefined
afterEach(async () => {
  await running?.stop('SIGKILL')
  running = undefined
})

/** One write of some kind, on one of few paths, so that most kinds succeed and fail now and then. */
function randomWrite(client: WireClient, prng: Prng): Promise<unknown> {
  const pick = <T>(from: readonly T[]): T => from[prng.below(from.length)] as T
  const name = (): string =>
    pick(['a', 'b', 'c', 'd', 'unicode-ü-✓', 'a-longer-name-than-the-others'])
  const path = prng.below(3) === 0 ? `/top/${name()}` : `/top/${name()}/${name()}`
  const data = pick([null, Buffer.alloc(0), Buffer.alloc(1 + prng.below(600), prng.below(256))])
  const acl = pick(readable)
  switch (prng.below(14)) {
    case 0:
      return client.call(OpCode.create2, create(path, { data, acl }))
    case 1:
      return client.call(OpCode.create, create(`${path}-s`, { data, flags: 2 }))
    case 2:
      return client.call(OpCode.create, create(path, { data, flags: 1 }))
    case 3:
      return client.call(OpCode.createContainer, create(path, { flags: 4 }))
    case 4:
      return client.call(OpCode.createTTL, createTtl(path, 3_600_000n))
    case 5:
    case 6:
      return client.call(OpCode.delete, remove(path))
    case 7:
      return client.call(OpCode.setACL, setAcl(path, acl))
    case 8:
      return client.call(
        OpCode.multi,
        multi([
          [OpCode.setData, setData('/top', data)],
          [OpCode.create, create(`/top/m-`, { data, flags: 2 })],
          [OpCode.check, check(path)],
        ]),
      )
    case 9:
      return client.call(
        OpCode.multi,
        multi([
          [OpCode.create, create('/top/multi', { data })],
          [OpCode.setData, setData('/top/multi', data)],
          [OpCode.delete, remove('/top/multi')],
        ]),
      )
    case 10:
    case 11:
      return client.call(OpCode.create, create(path, { data, acl }))
    default:
      return client.call(OpCode.setData, setData(path, data))
  }
}

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

type NodeText = { data: string | null; stat: Stat; acl: readonly ACL[] | null }

/** All that clients can see; children as far as the nodes name them. */
async function stateOf(port: number): Promise<Map<string, NodeText>> {
  const client = await WireClient.open(port, SESSION_MS)
  const nodes = new Map<string, NodeText>()
  const open = ['/']
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const data = await client.call(OpCode.getData, getData(path))
    const acl = await client.call(OpCode.getACL, pathOnly(path))
    const children = await client.call(OpCode.getChildren2, getChildren(path))
    expect([path, data.err, acl.err, children.err]).toEqual([path, 0, 0, 0])
    const found = readGetDataResponse(data.body)
    nodes.set(path, {
      data: found.data === null ? null : Buffer.from(found.data).toString('base64'),
      stat: found.stat,
      acl: readGetACLResponse(acl.body).acl,
    })
    for (const name of readGetChildren2Response(children.body).children ?? [])
      open.push(path === '/' ? `/${name}` : `${path}/${name}`)
  }
  await client.close()
  return nodes
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
      await running.stop('SIGKILL')
    }
  })
})
