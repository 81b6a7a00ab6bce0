import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { escapeControls } from '../../src/tools/txn-text.ts'
import { mavenClasspath, zookeeper39Coords } from './harness/maven.ts'
import { type RunResult, run } from './harness/process.ts'
import { ensureBuilt, repositoryRoot } from './harness/repository.ts'
import { scratchDirectory } from './harness/server.ts'

const golden = join(repositoryRoot, 'test/golden/datadir-standalone/version-2')
const debianJars = ['zookeeper', 'zookeeper-jute', 'slf4j-api', 'slf4j-nop', 'commons-cli']
const debian = debianJars.map((name) => `/usr/share/java/${name}.jar`).join(':')

/** One of the original's tools, whose dates are to be those of UTC. */
async function original(classpath: string, tool: string, words: string[]): Promise<string[]> {
  const place = ['-Duser.timezone=UTC', '-Duser.language=en', '-Duser.country=US']
  const quiet = ['-Dfile.encoding=UTF-8', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
  const name = `org.apache.zookeeper.server.${tool}`
  const result = await run('java', [...place, ...quiet, '-cp', classpath, name, ...words])
  expect(result.code).toBe(0)
  return result.stdout.split(/\n(?=\d+\/\d+\/\d+, |EOF reached|Node |Analysis )/)
}

/** Its records: it breaks the line behind each entry of an ACL, and before PM by the JVM's whim. */
async function dumpedByOriginal(classpath: string, file: string): Promise<string[]> {
  const records = await original(classpath, 'persistence.TxnLogToolkit', ['-d', file])
  return records
    .filter((record) => /^\d+\/\d+/.test(record))
    .map((record) => record.replace(/\u202f/g, ' ').replace(/\}\n(?=[\],])/g, '}'))
    .map(escapeControls)
}

async function ours(words: string[]): Promise<RunResult> {
  return await run(join(repositoryRoot, 'bin/zk-data'), words)
}

async function dumpedByUs(file: string): Promise<string[]> {
  const { code, stdout } = await ours(['txnlog', 'dump', file])
  expect(code).toBe(0)
  return stdout.split('\n').filter((line) => /^\d+\/\d+/.test(line))
}

/** What all releases say in the same words; the details came with 3.9. */
const headOf = (line: string): string => line.split(' ').slice(0, 11).join(' ')

/** 3.9 shows the parts of a multi as the bytes that they are; we decode them. */
const comparable = (line: string): string => (/ multi .*:/.test(line) ? headOf(line) : line)

describe('what zk-data writes', () => {
  let classpath39 = ''
  let folder = ''
  beforeAll(async () => {
    await ensureBuilt()
    classpath39 = await mavenClasspath(zookeeper39Coords)
    folder = scratchDirectory('data-tools')
    for (const name of ['log.1', 'log.2f']) {
      const bytes = readFileSync(join(golden, name))
      // The milliseconds of the first record: its checksum no longer fits.
      bytes.writeUInt8(bytes.readUInt8(16 + 12 + 27) ^ 1, 16 + 12 + 27)
      writeFileSync(join(folder, name), bytes)
      cpSync(join(golden, name), join(folder, `good-${name}`))
    }
  })

  async function expectSame(file: string, records: number): Promise<void> {
    const dumped = await dumpedByUs(file)
    expect(dumped.length).toBe(records)
    const by39 = await dumpedByOriginal(classpath39, file)
    expect(dumped.map(comparable)).toEqual(by39.map(comparable))
    const by38 = await dumpedByOriginal(debian, file)
    // One name was spelled otherwise then.
    const heads38 = by38.map((line) => headOf(line).replace(/createTtl$/, 'createTTL'))
    expect(dumped.map(headOf)).toEqual(heads38)
  }

  it.each([
    ['log.1', 46],
    ['log.2f', 44],
  ])('of a repaired %s reads the same to the original', async (name, records) => {
    const repaired = await ours(['txnlog', 'repair', '-y', join(folder, name)])
    expect(repaired).toMatchObject({ code: 0, stdout: expect.stringContaining('1 checksums') })
    await expectSame(join(folder, `${name}.fixed`), records)
  })

  it('chops as the original chops, byte for byte', async () => {
    const log = join(folder, 'good-log.2f')
    expect((await ours(['txnlog', 'chop', log, '-z', '0x47'])).code).toBe(0)
    const chopped = readFileSync(`${log}.chopped71`)
    await expectSame(`${log}.chopped71`, 25)
    await original(classpath39, 'persistence.TxnLogToolkit', ['-c', '-z', '0x47', log])
    expect(readFileSync(`${log}.chopped71`).equals(chopped)).toBe(true)
  })

  it('compares snapshots as the original does', async () => {
    const pair = ['-l', join(golden, 'snapshot.2d'), '-r', join(golden, 'snapshot.59')]
    const words = [...pair, '-b', '2', '-n', '1']
    const theirs = await original(classpath39, 'SnapshotComparer', words)
    const mine = (await ours(['snapshot', 'compare', ...words])).stdout
    const analysis = (lines: string[]): string =>
      lines.slice(lines.findIndex((line) => line.startsWith('Analysis'))).join('\n')
    expect(analysis(mine.split('\n'))).toBe(analysis(theirs).replace('Node  found', 'Node / found'))
  })

  it('dumps snapshots with the nodes and sessions that the original dumps', async () => {
    const file = join(golden, 'snapshot.59')
    const blocks = (text: string): Set<string> => new Set(text.split('----\n'))
    const theirs = (await original(classpath39, 'SnapshotFormatter', ['-d', file])).join('\n')
    const mine = (await ours(['snapshot', 'dump', '-d', file])).stdout
    const withoutSessions = (found: Set<string>): string[] =>
      [...found].filter((block) => !block.startsWith('Session')).sort()
    expect(withoutSessions(blocks(mine))).toEqual(withoutSessions(blocks(theirs)))
    const sessions = (text: string): string[] | null => text.match(/^0x\w+, \d+, \d+$/gm)
    expect(sessions(mine)?.sort()).toEqual(sessions(theirs)?.sort())
  })
})
