import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCommandLine } from '../../src/node/cli/command-line.ts'
import { isServerAlive } from '../../src/node/cli/pid-file.ts'
import { askFourLetterWord } from '../../src/node/cli/status.ts'
import { freePorts } from '../support/ports.ts'

const script = fileURLToPath(new URL('zk-server-from-source.ts', import.meta.url))
const nodeOptions = ['--conditions=source', '--import', import.meta.resolve('tsx')]
const TIMEOUT_MS = 120_000
const SIDS = [1, 2, 3] as const
const LOCAL = '127.0.0.1'

interface Ports {
  readonly client: number
  readonly quorum: number
  readonly election: number
}

let dir = ''
let ports: ReadonlyMap<number, Ports> = new Map()
let taken: Server | undefined

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'zk-ensemble-'))
  const first = await freePorts(3 * SIDS.length)
  ports = new Map(
    SIDS.map((sid, index) => {
      const client = first + 3 * index
      return [sid, { client, quorum: client + 1, election: client + 2 }]
    }),
  )
  for (const sid of SIDS) configure(sid)
})
afterEach(() => {
  taken?.close()
  taken = undefined
  for (const sid of SIDS) {
    const pid = pidOf(sid)
    if (pid !== undefined && isServerAlive(pid)) process.kill(pid, 'SIGKILL')
  }
  rmSync(dir, { recursive: true, force: true })
})

const folderOf = (sid: number): string => join(dir, String(sid))

function configure(sid: number): void {
  const lines = [
    `dataDir=${folderOf(sid)}/data`,
    `clientPort=${ports.get(sid)?.client}`,
    `clientPortAddress=${LOCAL}`,
    'tickTime=500',
    'initLimit=20',
    'syncLimit=10',
    'electionPortBindRetry=1',
    '4lw.commands.whitelist=*',
    `myid=${sid}`,
    ...[...ports].map(
      ([id, { quorum, election }]) => `server.${id}=${LOCAL}:${quorum}:${election}`,
    ),
  ]
  mkdirSync(folderOf(sid))
  writeFileSync(join(folderOf(sid), 'zoo.cfg'), `${lines.join('\n')}\n`)
}

function pidOf(sid: number): number | undefined {
  const file = join(folderOf(sid), 'data/zookeeper_server.pid')
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined
}

interface Result {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

async function run(command: string, sid: number): Promise<Result> {
  let out = ''
  let err = ''
  const code = await runCommandLine([command], {
    env: { ZOOCFGDIR: folderOf(sid) },
    executable: script,
    nodeOptions,
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
  })
  return { code, out, err }
}

const ask = (sid: number, word: string): Promise<string | undefined> =>
  askFourLetterWord(LOCAL, ports.get(sid)?.client ?? 0, word)

const statusText = (sid: number, last: string): string =>
  `Client port found: ${ports.get(sid)?.client}. Client address: ${LOCAL}. Client SSL: false.\n${last}\n`

/** Nobody tells when an election has ended but the members themselves. */
async function modes(sids: readonly number[]): Promise<readonly string[]> {
  for (;;) {
    const texts = await Promise.all(sids.map((sid) => ask(sid, 'srvr')))
    const found = texts.map((text) => /^Mode: (.*)$/m.exec(text ?? '')?.[1])
    if (found.every((mode) => mode !== undefined)) return found.map((mode) => mode ?? '')
    await delay(50)
  }
}

describe('members of an ensemble', { timeout: TIMEOUT_MS }, () => {
  it('start without a quorum, serve with one, and say so', async () => {
    expect(await run('start', 1)).toMatchObject({
      code: 0,
      out: 'Starting zookeeper ... STARTED\n',
    })
    expect(await ask(1, 'ruok')).toBe('imok')
    expect(await ask(1, 'srvr')).toBe('This ZooKeeper instance is not currently serving requests\n')
    expect(await run('status', 1)).toMatchObject({
      code: 1,
      out: statusText(1, 'Error contacting service. It is probably not running.'),
    })
    expect(readFileSync(join(folderOf(1), 'data/myid'), 'utf8')).toBe('1\n')
    expect(readFileSync(join(folderOf(1), 'data/version-2/acceptedEpoch'), 'utf8')).toBe('0')
    await run('start', 2)
    const found = await modes([1, 2])
    expect([...found].sort()).toEqual(['follower', 'leader'])
    for (const [index, sid] of [1, 2].entries())
      expect(await run('status', sid)).toMatchObject({
        code: 0,
        out: statusText(sid, `Mode: ${found[index]}`),
      })
    const leader = found[0] === 'leader' ? 1 : 2
    expect(await ask(leader, 'mntr')).toMatch(/^zk_synced_followers\t1$/m)
    for (const sid of [1, 2]) {
      const epoch = readFileSync(join(folderOf(sid), 'data/version-2/currentEpoch'), 'utf8')
      expect([sid, epoch]).toEqual([sid, '1'])
    }
    for (const sid of [1, 2]) expect(await run('stop', sid)).toMatchObject({ code: 0 })
  })

  it('do not start where a port of theirs is taken', async () => {
    taken = createServer().listen(ports.get(3)?.election, LOCAL)
    await once(taken, 'listening')
    const { code, out, err } = await run('start', 3)
    expect({ code, out }).toEqual({ code: 1, out: 'Starting zookeeper ... FAILED TO START\n' })
    expect(err).toContain(`cannot bind the election port ${LOCAL}:${ports.get(3)?.election}: `)
  })

  it('do not start with a damaged epoch file, and say what to do', async () => {
    const folder = join(folderOf(2), 'data/version-2')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'acceptedEpoch'), '')
    const { code, err } = await run('start', 2)
    expect(code).toBe(1)
    expect(err).toContain(`${folder}/acceptedEpoch: the file is empty. write the largest number`)
  })
})
