import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runDataCommand } from '../../../../src/node/data-tools/command-line.ts'
import { FolderLock } from '../../../../src/node/files/folder-lock.ts'

const golden = join(import.meta.dirname, '../../../golden')

let dir = ''
let folder = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'zk-data-'))
  folder = join(dir, 'version-2')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** `answers` are typed one after the other; `clock` goes on by this many ms at each look. */
async function run(words: readonly string[], answers: string[] = [], clock = 0): Promise<Ran> {
  let out = ''
  let err = ''
  let now = 0
  const code = await runDataCommand(words, {
    env: {},
    out: async (text) => {
      out += text
      return true
    },
    err: (text) => {
      err += text
    },
    ask: async () => answers.shift(),
    mono: () => {
      now += clock
      return now
    },
  })
  return { code, out, err }
}

function copyGolden(name: string): void {
  cpSync(join(golden, name, 'version-2'), folder, { recursive: true })
}

const log = (): string => join(folder, 'log.2f')
const bytesOf = (path: string): Buffer => readFileSync(path)

function flip(path: string, at: number): void {
  const bytes = bytesOf(path)
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  writeFileSync(path, bytes)
}

describe('zk-data txnlog', () => {
  beforeEach(() => copyGolden('datadir-standalone'))

  it('dumps a file, its folder, and the data directory', async () => {
    const one = await run(['txnlog', 'dump', log(), '--json'])
    expect(one.code).toBe(0)
    expect(one.out.split('\n').length).toBe(45)
    const all = await run(['txnlog', 'dump', dir, '--json'])
    expect(all.out.split('\n').length).toBe(103)
    expect(await run(['txnlog', 'dump', folder, '--json'])).toEqual(all)
    const some = await run(['txnlog', 'dump', dir, '--from', '0x30', '--to', '49'])
    expect(some.out.match(/zxid 0x\w+/g)).toEqual(['zxid 0x30', 'zxid 0x31'])
    expect(some.out).not.toContain('log.1')
  })

  it('tells damage by its exit code', async () => {
    flip(log(), 30)
    const dumped = await run(['txnlog', 'dump', log()])
    expect(dumped.code).toBe(1)
    expect(dumped.out).toContain('CRC ERROR - ')
    expect(dumped.err).toBe('1 problems, marked in the dump\n')
  })

  it('repairs checksums into a new file, asking for each', async () => {
    flip(log(), 30)
    flip(log(), 80)
    const asked = await run(['txnlog', 'repair', log()], ['?', 'yes', 'No'])
    expect(asked.code).toBe(1)
    expect(asked.out).toContain('44 txns written, 1 checksums fixed')
    expect((await run(['txnlog', 'repair', log(), '-y'])).err).toContain('exists already')
    rmSync(`${log()}.fixed`)
    expect((await run(['txnlog', 'repair', log()], ['abort'])).code).toBe(0)
    expect((await run(['txnlog', 'repair', log()], [])).code).toBe(1)
    expect(existsSync(`${log()}.fixed`)).toBe(false)
    expect((await run(['txnlog', 'repair', '-r', '-y', '-v', log()])).code).toBe(0)
    expect((await run(['txnlog', 'dump', `${log()}.fixed`])).code).toBe(0)
  })

  it('cuts in place and keeps the file as it was', async () => {
    flip(log(), 80)
    const before = bytesOf(log())
    const cut = await run(['txnlog', 'repair', '--cut', log()])
    expect(cut).toMatchObject({ code: 0, err: expect.stringContaining('log.5b') })
    expect(bytesOf(log()).equals(before.subarray(0, 65))).toBe(true)
    expect(bytesOf(`${log()}.damaged`).equals(before)).toBe(true)
    const again = await run(['txnlog', 'repair', '--cut', log()])
    expect(again.out).toContain('nothing is damaged, nothing was cut')
    truncateSync(log(), 30)
    expect((await run(['txnlog', 'repair', '--cut', log()])).err).toContain('exists already')
    const wrong = await run(['txnlog', 'repair', '--at', '65', log()])
    expect(wrong.code).toBe(2)
  })

  it('takes away a log of which nothing is good', async () => {
    truncateSync(log(), 3)
    expect((await run(['txnlog', 'repair', '--cut', log()])).code).toBe(0)
    expect(existsSync(log())).toBe(false)
    expect(existsSync(`${log()}.damaged`)).toBe(true)
  })

  it('does not cut what a server uses', async () => {
    flip(log(), 80)
    const lock = await FolderLock.take(folder)
    if (!(lock instanceof FolderLock)) throw new Error(lock.reason)
    const cut = await run(['txnlog', 'repair', '--cut', log()])
    lock.release()
    expect(cut).toMatchObject({ code: 1, err: expect.stringContaining('Stop the server first') })
    expect(existsSync(`${log()}.damaged`)).toBe(false)
  })

  it('chops into a file named as the original names it', async () => {
    const chopped = await run(['txnlog', 'chop', log(), '-z', '0x40'])
    expect(chopped).toMatchObject({ code: 0, out: expect.stringContaining('18 txns') })
    // The size that the original's own chop of this file has.
    expect(bytesOf(`${log()}.chopped64`).length).toBe(1676)
    expect((await run(['txnlog', 'chop', log(), '-z', '0x999'])).code).toBe(1)
    expect((await run(['txnlog', 'chop', log(), '-z', '010'])).code).toBe(2)
  })

  it('says what is not there', async () => {
    const gone = await run(['txnlog', 'dump', join(dir, 'no')])
    expect(gone).toEqual({ code: 1, out: '', err: `zk-data: ${join(dir, 'no')} does not exist\n` })
    mkdirSync(join(dir, 'empty'))
    const empty = await run(['txnlog', 'dump', join(dir, 'empty')])
    expect(empty.err).toContain('there are no logs')
    expect((await run(['txnlog', 'frobnicate'])).code).toBe(2)
    expect((await run(['--help'])).code).toBe(0)
  })

  it('tells how far it is when it takes long', async () => {
    const quick = await run(['txnlog', 'dump', log()], [], 0)
    expect(quick.err).toBe('')
    const slow = await run(['txnlog', 'dump', log()], [], 600)
    expect(slow.err).toMatch(/log\.2f: \d+ of 1 MiB read\n/)
  })
})

describe('zk-data snapshot', () => {
  it.each([
    ['datadir-standalone', 'snapshot.59', ''],
    ['datadir-gz', 'snapshot.5b.gz', '.gz'],
    ['datadir-snappy', 'snapshot.51.snappy', '.snappy'],
  ])('reads a snapshot of %s, whatever it is called', async (name, file, suffix) => {
    copyGolden(name)
    const dumped = await run(['snapshot', 'dump', join(folder, file), '--json'])
    expect(dumped.code).toBe(0)
    cpSync(join(folder, file), join(dir, `backup${suffix}`))
    const renamed = await run(['snapshot', 'dump', join(dir, `backup${suffix}`), '--json'])
    const rest = (text: string): string => text.slice(text.indexOf('\n'))
    expect(rest(renamed.out)).toBe(rest(dumped.out))
  })

  it('tells how far it has unpacked a snapshot, and what is wrong with it', async () => {
    copyGolden('datadir-gz')
    const packed = join(folder, 'snapshot.5b.gz')
    const slow = await run(['snapshot', 'summary', packed, '/', '1'], [], 2000)
    expect(slow.err).toMatch(/^\S*snapshot\.5b\.gz: 0 of 1 MiB read\n/)
    truncateSync(packed, 300)
    const damaged = await run(['snapshot', 'summary', packed, '/', '1'])
    expect(damaged).toMatchObject({ code: 1, err: expect.stringContaining('cannot be unpacked') })
  })

  it('dumps, sums up, compares, and names what is damaged', async () => {
    copyGolden('datadir-standalone')
    const left = join(folder, 'snapshot.2d')
    const right = join(folder, 'snapshot.59')
    expect((await run(['snapshot', 'dump', '-d', left])).out).toContain('data = cm9vdCBkYXRh')
    expect((await run(['snapshot', 'summary', left, '/p', '0'])).out).toContain(' /p\n')
    expect((await run(['snapshot', 'summary', left, '/none', '0'])).code).toBe(1)
    const words = ['snapshot', 'compare', '-l', left, '-r', right, '-b', '2', '-n', '1']
    expect((await run(words)).out).toContain('Delta: 178 bytes, 23 descendants')
    expect((await run(words.slice(0, -2))).code).toBe(2)
    flip(left, 100)
    expect(await run(words)).toMatchObject({ code: 1, err: expect.stringContaining(left) })
  })
})

describe('zk-data cleanup', () => {
  const names = (): string[] => readdirSync(folder).sort()

  it('keeps the newest snapshots and the logs that they need', async () => {
    copyGolden('datadir-standalone')
    cpSync(join(folder, 'snapshot.59'), join(folder, 'snapshot.5a'))
    const done = await run(['cleanup', dir, '-n', '3'])
    expect(done).toMatchObject({ code: 0, out: expect.stringContaining('1 files removed') })
    expect(names()).toEqual([
      'log.1',
      'log.2f',
      'log.5b',
      'snapshot.2d',
      'snapshot.59',
      'snapshot.5a',
    ])
    expect((await run(['cleanup', dir, '-n', '2'])).code).toBe(2)
  })

  it('finds the directories in a configuration', async () => {
    copyGolden('datadir-standalone')
    const config = join(dir, 'zoo.cfg')
    writeFileSync(config, `dataDir=${dir}\n`)
    const done = await run(['cleanup', '-n', '3', '--configfile', config])
    expect(done).toMatchObject({ code: 0, out: '0 files removed\n' })
  })
})

describe('zk-data initialize', () => {
  it('makes the folders of a new server, and removes data only when told to', async () => {
    const config = join(dir, 'zoo.cfg')
    const data = join(dir, 'data')
    const logs = join(dir, 'logs')
    writeFileSync(config, `dataDir=${data}\ndataLogDir=${logs}\n`)
    const words = ['initialize', '--configfile', config]
    expect((await run([...words, '--myid', '7'])).code).toBe(0)
    expect(readFileSync(join(data, 'myid'), 'utf8')).toBe('7\n')
    expect(readdirSync(data).sort()).toEqual(['initialize', 'myid', 'version-2'])
    expect(readdirSync(logs)).toEqual(['version-2'])
    writeFileSync(join(data, 'version-2/snapshot.0'), 'x')
    const again = await run(words)
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining('--force') })
    expect(existsSync(join(data, 'version-2/snapshot.0'))).toBe(true)
    expect((await run([...words, '--force'])).code).toBe(0)
    expect(readdirSync(join(data, 'version-2'))).toEqual([])
    expect(readdirSync(data).sort()).toEqual(['initialize', 'version-2'])
    expect((await run([...words, '--myid', '300'])).code).toBe(2)
    expect((await run(['initialize', '--configfile', join(dir, 'no.cfg')])).code).toBe(1)
  })
})
