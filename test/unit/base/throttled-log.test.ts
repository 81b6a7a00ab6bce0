import { beforeEach, expect, it } from 'vitest'
import type { LogFields } from '../../../src/base/logger.ts'
import { LOG_CAUSES_MAX, ThrottledLog } from '../../../src/base/throttled-log.ts'
import { silentLogger } from '../../support/silent-logger.ts'

let clock = { mono: 0 }
let lines: string[] = []
let log: ThrottledLog

beforeEach(() => {
  clock = { mono: 0 }
  lines = []
  const add = (message: string, fields?: LogFields): void => {
    lines.push(`${message} ${JSON.stringify(fields)}`)
  }
  log = new ThrottledLog({ ...silentLogger, warn: add, info: add }, clock)
})

it('writes one line a second of each cause, and then how many there were', () => {
  for (const n of [1, 2, 3]) log.warn('bad', { n }, 'a')
  log.warn('bad', { n: 9 }, 'b')
  expect(lines).toEqual(['bad {"n":1}', 'bad {"n":9}'])
  clock.mono = 999
  log.advance()
  expect(lines).toHaveLength(2)
  clock.mono = 1000
  log.advance()
  expect(lines.slice(2)).toEqual(['bad {"n":3,"lines":2}'])
  clock.mono = 1999
  log.warn('bad', { n: 4 }, 'a')
  expect(lines).toHaveLength(3)
  clock.mono = 2000
  log.warn('bad', { n: 5 }, 'a')
  expect(lines.slice(3)).toEqual(['bad {"n":5,"lines":2}'])
})

it('says each thing at once when it is rare', () => {
  for (let n = 0; n < 5; n += 1) {
    clock.mono += 1000
    log.info('rare', { n })
  }
  expect(lines).toHaveLength(5)
})

it('tells so many causes apart and no more', () => {
  for (let n = 0; n < LOG_CAUSES_MAX + 50; n += 1) log.warn('bad', { n }, `cause ${n}`)
  expect(lines).toHaveLength(LOG_CAUSES_MAX + 1)
  clock.mono = 1000
  log.advance()
  expect(lines.slice(LOG_CAUSES_MAX + 1)).toEqual([`bad {"n":${LOG_CAUSES_MAX + 49},"lines":49}`])
})
