import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Err } from '../../src/data/error-code.ts'
import { OpCode } from '../../src/data/op-code.ts'
import { readGetDataResponse } from '../../src/data/records.ts'
import { freePorts } from '../support/ports.ts'
import { create, getData, pathOnly } from '../support/requests.ts'
import { until } from '../support/until.ts'
import { WireClient } from '../support/wire-client.ts'

/**
 * The walk of every tutorial on ZooKeeper: three servers on one host, with the three configurations
 * that are shipped for it. With INTEROP_SERVER=apache-3.8 Debian's zkServer.sh takes the same walk.
 */
const script = fileURLToPath(new URL('zk-server-from-source.ts', import.meta.url))
const { INTEROP_SERVER } = process.env
const isOriginal = INTEROP_SERVER?.startsWith('apache') ?? false
const command: readonly [string, ...string[]] = isOriginal
  ? ['/usr/share/zookeeper/bin/zkServer.sh']
  : [process.execPath, '--conditions=source', '--import', import.meta.resolve('tsx'), script]

const TIMEOUT_MS = 120_000
const ROLE_MS = 30_000
const sids = [1, 2, 3]

let dir = ''
let firstPort = 0
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'zk-three-servers-'))
  firstPort = await freePorts(3 * sids.length)
  for (const sid of sids) {
    const shipped = readFileSync(new URL(`../../conf/zoo${sid}.cfg`, import.meta.url), 'utf8')
    // As shipped but for the ports, of which others may use some on this machine.
    const text = shipped
      .replace(/(?<=clientPort=)218(\d)/, (_, digit) => String(clientPort(Number(digit))))
      .replace(/(?<=localhost:)288(\d)/g, (_, digit) => String(firstPort + 3 + Number(digit) - 8))
      .replace(/(?<=localhost:)2890/g, String(firstPort + 5))
      .replace(/(?<=:)388(\d)/g, (_, digit) => String(firstPort + 6 + Number(digit) - 8))
      .replace(/(?<=:)3890/g, String(firstPort + 8))
    expect(text).not.toMatch(/\b(218\d|28[89]\d|38[89]\d)$/m)
    writeFileSync(join(dir, `zoo${sid}.cfg`), text)
    if (!isOriginal) continue
    mkdirSync(join(dir, `data/zoo${sid}`), { recursive: true })
    writeFileSync(join(dir, `data/zoo${sid}/myid`), String(sid))
  }
})
afterAll(() => {
  for (const sid of sids) {
    const pidFile = join(dir, `data/zoo${sid}/zookeeper_server.pid`)
    if (existsSync(pidFile)) kill(Number(readFileSync(pidFile, 'utf8')))
  }
  rmSync(dir, { recursive: true, force: true })
})

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

const clientPort = (sid: number): number => firstPort + sid - 1

interface Result {
  readonly code: number
  readonly out: string
}

async function zkServer(action: string, sid: number): Promise<Result> {
  const [file, ...args] = command
  const { SERVER_JVMFLAGS: _, JVMFLAGS: __, ...inherited } = process.env
  const child = spawn(file, [...args, action, `./zoo${sid}.cfg`], {
    cwd: dir,
    env: { ...inherited, ZOO_LOG_DIR: join(dir, `log${sid}`) },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  // Not 'close': the server that it leaves behind may keep the pipe open.
  const [code] = await once(child, 'exit')
  return { code, out }
}

/** What `status` says once the server has a role. */
async function roleOf(sid: number): Promise<string> {
  return await until(`a role of server ${sid}`, ROLE_MS, async () => {
    const { code, out } = await zkServer('status', sid)
    return code === 0 ? /^Mode: (\w+)$/m.exec(out)?.[1] : undefined
  })
}

async function write(sid: number, path: string): Promise<void> {
  const client = await WireClient.open(clientPort(sid), 10_000)
  expect((await client.call(OpCode.create, create(path, { data: Buffer.from(path) }))).err).toBe(0)
  await client.close()
}

async function expectRead(sid: number, path: string): Promise<void> {
  const client = await WireClient.open(clientPort(sid), 10_000)
  await client.call(OpCode.sync, pathOnly(path))
  const { err, body } = await client.call(OpCode.getData, getData(path))
  expect([sid, path, err]).toEqual([sid, path, Err.ok])
  expect(readGetDataResponse(body).data?.toString()).toBe(path)
  await client.close()
}

describe('three servers on one host', { timeout: TIMEOUT_MS }, () => {
  let leader = 0
  const others = (): number[] => sids.filter((sid) => sid !== leader)

  it('elect one leader, which two follow', async () => {
    for (const sid of sids) {
      const { code, out } = await zkServer('start', sid)
      expect([code, out]).toEqual([0, 'Starting zookeeper ... STARTED\n'])
    }
    const roles = await Promise.all(sids.map(roleOf))
    expect(roles.toSorted()).toEqual(['follower', 'follower', 'leader'])
    leader = roles.indexOf('leader') + 1
  })

  it('take a write anywhere, and show it everywhere', async () => {
    for (const writer of sids) {
      await write(writer, `/by-${writer}`)
      for (const reader of sids) await expectRead(reader, `/by-${writer}`)
    }
  })

  it('go on without their leader', async () => {
    const { code, out } = await zkServer('stop', leader)
    expect([code, out]).toEqual([0, 'Stopping zookeeper ... STOPPED\n'])
    await until('another leader', ROLE_MS, async () => {
      const roles = await Promise.all(others().map(roleOf))
      return roles.toSorted().join(' ') === 'follower leader' || undefined
    })
    for (const writer of others()) {
      await write(writer, `/later-by-${writer}`)
      for (const reader of others()) await expectRead(reader, `/later-by-${writer}`)
    }
  })

  it('take it back as a follower that has caught up', async () => {
    expect((await zkServer('start', leader)).code).toBe(0)
    expect(await roleOf(leader)).toBe('follower')
    for (const writer of sids) await expectRead(leader, `/by-${writer}`)
    for (const writer of others()) await expectRead(leader, `/later-by-${writer}`)
    await write(leader, '/back')
    for (const reader of sids) await expectRead(reader, '/back')
  })

  it('stop', async () => {
    for (const sid of sids)
      expect(await zkServer('stop', sid)).toEqual({
        code: 0,
        out: 'Stopping zookeeper ... STOPPED\n',
      })
  })
})
