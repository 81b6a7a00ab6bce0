import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ExitCode } from '../../src/node/process/exit-code.ts'
import { fuzzyDirectory } from '../support/fuzzy-directory.ts'

const script = fileURLToPath(new URL('zk-server-from-source.ts', import.meta.url))
const nodeOptions = ['--conditions=source', '--import', import.meta.resolve('tsx')]
const TIMEOUT_MS = 60_000

let dir = ''
const folder = (): string => join(dir, 'data', 'version-2')
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'zk-data-directory-'))
  mkdirSync(folder(), { recursive: true })
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** What a server logs until it serves, and is then stopped; or until it has ended by itself. */
async function start(
  settings: string,
): Promise<{ code: number | null; serves: boolean; out: string }> {
  const file = join(dir, 'zoo.cfg')
  const always = `dataDir=${dir}/data\nclientPort=0\nclientPortAddress=127.0.0.1\n`
  writeFileSync(file, `${always}extendedTypesEnabled=true\nadmin.enableServer=false\n${settings}\n`)
  const child = spawn(process.execPath, [...nodeOptions, script, 'start-foreground', file], {
    env: { ...process.env, SERVER_JVMFLAGS: '', JVMFLAGS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  const serves = new Promise<boolean>((resolve) => {
    const hear = (text: string): void => {
      const hasServed = out.includes('serving clients')
      out += text
      if (hasServed || !out.includes('serving clients')) return
      resolve(true)
      child.kill('SIGTERM')
    }
    child.stdout.setEncoding('utf8').on('data', hear)
    child.stderr.setEncoding('utf8').on('data', hear)
    child.once('close', () => resolve(false))
  })
  const [code] = await once(child, 'close')
  return { code, serves: await serves, out }
}

async function expectRefusal(settings: string, reason: string): Promise<void> {
  const found = await start(settings)
  expect(found.out).toContain(reason)
  expect(found).toMatchObject({ code: ExitCode.dataDir, serves: false })
}

const served = { code: ExitCode.finished, serves: true }

describe('a server process', { timeout: TIMEOUT_MS }, () => {
  it('makes a new database where db.autocreate=false only with the marker, which counts once', async () => {
    await expectRefusal('db.autocreate=false', 'db.autocreate=false says that this must not be')
    const marker = join(dir, 'data', 'initialize')
    writeFileSync(marker, '')
    expect(await start('db.autocreate=false')).toMatchObject(served)
    expect(existsSync(marker)).toBe(false)
    expect(readdirSync(folder())).toContain('snapshot.0')
    expect(await start('db.autocreate=false')).toMatchObject(served)
    rmSync(join(folder(), 'snapshot.0'))
    await expectRefusal('db.autocreate=false', 'create an empty file named initialize in it')
  })

  it('refuses a snapshot whose log is gone, and serves when it is there again', async () => {
    const { tree, snapshotZxid, snapshot, needsZxid, logFile } = fuzzyDirectory(11, 120)
    const name = `snapshot.${snapshotZxid.toString(16)}`
    writeFileSync(join(folder(), name), snapshot)
    await expectRefusal('', `${name}: it was written while txns up to 0x${needsZxid.toString(16)}`)
    writeFileSync(join(folder(), 'log.1'), logFile(1, needsZxid - 1))
    await expectRefusal('', 'txns that were acknowledged are missing')
    const last = tree.lastProcessedZxid
    writeFileSync(join(folder(), 'log.1'), logFile(1, last))
    const found = await start('')
    expect(found).toMatchObject(served)
    expect(found.out).toContain(`"zxid":"0x${last.toString(16)}"`)
  })

  it('trusts logs without a snapshot only when told to', async () => {
    const { tree, logFile } = fuzzyDirectory(12, 30)
    // They begin with an epoch of an ensemble, before which there may have been another.
    writeFileSync(join(folder(), 'log.100000001'), logFile(1, tree.lastProcessedZxid, 1))
    await expectRefusal('', 'there are logs but no snapshot')
    const found = await start('snapshot.trust.empty=true')
    expect(found).toMatchObject(served)
    expect(found.out).toContain('as snapshot.trust.empty says')
  })

  it('refuses to start on a snapshot that it may not read, and says what to do', async () => {
    writeFileSync(join(folder(), 'snapshot.0'), '')
    // A directory in place of a file: even root cannot read it.
    mkdirSync(join(folder(), 'snapshot.5'))
    await expectRefusal(
      '',
      'cannot be read: EISDIR: illegal operation on a directory, read. Let this',
    )
  })

  it('refuses a directory that can never be made', async () => {
    await expectRefusal(
      'dataDir=/proc/zk-test',
      'data directory /proc/zk-test/version-2 cannot be used: ENOENT',
    )
  })
})
