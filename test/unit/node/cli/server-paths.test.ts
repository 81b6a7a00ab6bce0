import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { BUILT_IN } from '../../../../src/node/cli/config-file.ts'
import {
  findConfigFile,
  logFileOf,
  packageDir,
  pidFileOf,
} from '../../../../src/node/cli/server-paths.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'zk-paths-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

it('looks for a plain name in the configuration directory, and takes a path as it is', () => {
  const env = { ZOOCFGDIR: '/env' }
  expect(findConfigFile('zoo1.cfg', dir, env)).toBe(join(dir, 'zoo1.cfg'))
  expect(findConfigFile('zoo1.cfg', undefined, env)).toBe('/env/zoo1.cfg')
  expect(findConfigFile('zoo1.cfg', undefined, {})).toBe(join(packageDir, 'conf/zoo1.cfg'))
  expect(findConfigFile('a/zoo1.cfg', dir, env)).toBe('a/zoo1.cfg')
  expect(findConfigFile('/a/zoo1.cfg', dir, env)).toBe('/a/zoo1.cfg')
  expect(findConfigFile(undefined, dir, { ZOOCFG: 'mine.cfg' })).toBe(join(dir, 'mine.cfg'))
})

it('finds a plain name in the working directory when it is not in the other', () => {
  expect(findConfigFile('package.json', dir, {})).toBe('package.json')
  writeFileSync(join(dir, 'package.json'), '')
  expect(findConfigFile('package.json', dir, {})).toBe(join(dir, 'package.json'))
})

it('falls back to the built-in configuration only if nothing was said', () => {
  const own = join(packageDir, 'conf/zoo.cfg')
  const fallback = existsSync(own) ? own : BUILT_IN
  expect(findConfigFile(undefined, undefined, {})).toBe(fallback)
  expect(findConfigFile(undefined, undefined, { ZOOCFGDIR: '', ZOOCFG: '' })).toBe(fallback)
  expect(findConfigFile(undefined, dir, {})).toBe(join(dir, 'zoo.cfg'))
  expect(findConfigFile(undefined, undefined, { ZOOCFGDIR: dir })).toBe(join(dir, 'zoo.cfg'))
})

it('keeps pid file and log in dataDir unless told otherwise', () => {
  expect(pidFileOf('/d', {})).toBe('/d/zookeeper_server.pid')
  expect(pidFileOf('/d', { ZOOPIDFILE: '/run/zk.pid' })).toBe('/run/zk.pid')
  expect(logFileOf('/d', {})).toMatch(/^\/d\/zookeeper-.+-server-.+\.out$/)
  expect(logFileOf('/d', { ZOO_LOG_DIR: '/l' })).toMatch(/^\/l\/zookeeper-.+-server-.+\.out$/)
})
