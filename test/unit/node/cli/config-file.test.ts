import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formatConfigError, isConfigError } from '../../../../src/config/source.ts'
import { BUILT_IN, loadConfig, parseProperties } from '../../../../src/node/cli/config-file.ts'
import type { Environment } from '../../../../src/node/process/environment.ts'

let dir = ''
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'zk-config-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function write(content: string | Uint8Array): string {
  const file = join(dir, 'zoo.cfg')
  writeFileSync(file, content)
  return file
}

function load(content: string | Uint8Array, env: Environment = {}): ReturnType<typeof loadConfig> {
  return loadConfig(write(content), env)
}

describe('Java properties', () => {
  it('keep the line of each key', () => {
    const text =
      '# one\n! two\n\na=1\\\n   2\nb : x\\u0041\\tz\r\nc\r  d\\ e  f=g  \n\\:k==v\n=empty\nlast=\\'
    expect(parseProperties(text)).toEqual([
      { key: 'a', value: '12', line: 4 },
      { key: 'b', value: 'xA\tz', line: 6 },
      { key: 'c', value: '', line: 7 },
      { key: 'd e', value: 'f=g  ', line: 8 },
      { key: ':k', value: '=v', line: 9 },
      { key: '', value: 'empty', line: 10 },
      { key: 'last', value: '', line: 11 },
    ])
  })
})

describe('a configuration file', () => {
  it('is UTF-8 or, failing that, Latin-1, with or without a byte order mark', () => {
    const utf8 = load('\uFEFFdataDir=/dé\nclientPort=1')
    expect(utf8).toMatchObject({ config: { dataDir: '/dé' } })
    expect(load(Buffer.from('dataDir=/dé\nclientPort=1', 'latin1'))).toEqual({
      ...utf8,
      config: expect.objectContaining({ dataDir: '/dé' }),
    })
  })

  it('has directories relative to the working directory', () => {
    expect(load('dataDir=a\ndataLogDir=./b/\nclientPort=1')).toMatchObject({
      config: { dataDir: resolve('a'), dataLogDir: resolve('b') },
    })
  })

  it('is completed by the flags of the environment, JVMFLAGS before SERVER_JVMFLAGS', () => {
    const env = {
      SERVER_JVMFLAGS: '-Xmx1g -Dzookeeper.snapCount=5 -Dzookeeper.maxCnxns=6',
      JVMFLAGS: '-Dzookeeper.snapCount=7 -Djute.maxbuffer=8000',
      ZOO_DATADIR_AUTOCREATE_DISABLE: 'yes',
    }
    expect(load('dataDir=/d\nclientPort=1', env)).toMatchObject({
      config: { snapCount: 7, maxCnxns: 6, juteMaxBufferBytes: 8000, dataDirAutocreate: false },
    })
  })

  it('may be missing, or no file at all, and that is one line', () => {
    const messageOf = (path: string): string => {
      const result = loadConfig(path, {})
      return isConfigError(result) ? formatConfigError(result) : 'no problem'
    }
    expect(messageOf('/no/such.cfg')).toBe('/no/such.cfg: configuration: the file does not exist')
    expect(messageOf(dir)).toBe(`${dir}: configuration: it is a directory`)
  })

  it('finds myid in dataDir', () => {
    mkdirSync(join(dir, 'data'))
    writeFileSync(join(dir, 'data', 'myid'), '7\n')
    expect(load(`dataDir=${dir}/data/\nclientPort=1`)).toMatchObject({ config: { myid: 7 } })
  })

  it('has a built-in replacement', () => {
    expect(loadConfig(BUILT_IN, {})).toMatchObject({
      config: { clientPort: 2181, dataDir: resolve('data'), fourLetterWords: '*' },
      notes: [],
    })
  })
})

describe('any bytes', () => {
  const isValueOrRefusal = (content: string | Uint8Array, env: Environment = {}): void => {
    const result = load(content, env)
    if (isConfigError(result)) expect(formatConfigError(result)).not.toMatch(/[\r\n]/)
    else for (const note of result.notes) expect(note).not.toMatch(/[\r\n]/)
  }

  it('are a Config or a ConfigError', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => isValueOrRefusal(bytes)))
  })

  it('so are keys of ours with any values, in the file and as flags', () => {
    const key = fc.constantFrom(
      ...[
        'dataDir',
        'clientPort',
        'clientPortAddress',
        'tickTime',
        'snapCount',
        'server.1',
        'myid',
      ],
      ...['dynamicConfigFile', 'maxSessionTimeout', 'forceSync', 'authProvider.1', 'superUser'],
      ...['enforce.auth.enabled', 'java.security.auth.login.config', 'jute.maxbuffer', '__proto__'],
    )
    const value = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom(
        '1',
        '-1',
        '2181',
        'true',
        'no',
        'h:1:2',
        'h:1:2;3',
        dir,
        '\\u12',
        `\${x}`,
        '',
      ),
    )
    const line = fc.tuple(
      key,
      fc.constantFrom('=', ':', ' ', '\\'),
      value,
      fc.constantFrom('\n', '\r', '\\\n'),
    )
    const flag = fc.tuple(fc.constantFrom('-Dzookeeper.', '-D', '-'), key, value)
    fc.assert(
      fc.property(fc.array(line), fc.array(flag, { maxLength: 3 }), (lines, flags) => {
        const text = lines.map((parts) => parts.join('')).join('')
        const words = flags.map(([dash, name, is]) => `${dash}${name}=${is}`)
        isValueOrRefusal(`dataDir=/d\nclientPort=1\n${text}`, { JVMFLAGS: words.join(' ') })
      }),
    )
  })
})
