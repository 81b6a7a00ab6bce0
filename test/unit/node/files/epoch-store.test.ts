import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { LogFields } from '../../../../src/base/logger.ts'
import { loadEpochs } from '../../../../src/node/files/epoch-store.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'epoch-test-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const told: (LogFields | undefined)[] = []
const logger = { ...silentLogger, info: (_: string, fields?: LogFields) => told.push(fields) }
const read = (name: string): string => readFileSync(join(folder, name), 'utf8')

it('the epochs are made from the last zxid, once', async () => {
  expect(await loadEpochs(folder, 0x4_0000_0001, logger)).toEqual({
    kind: 'judged',
    accepted: 4,
    current: 4,
  })
  expect([read('acceptedEpoch'), read('currentEpoch')]).toEqual(['4', '4'])
  expect(readdirSync(folder).sort()).toEqual(['acceptedEpoch', 'currentEpoch'])
  expect(told.length).toBe(2)
  await loadEpochs(folder, 0x4_0000_0001, logger)
  expect(told.length).toBe(2)
})

it('what was on its way to currentEpoch counts', async () => {
  writeFileSync(join(folder, 'acceptedEpoch'), '5')
  writeFileSync(join(folder, 'currentEpoch'), '2')
  writeFileSync(join(folder, 'currentEpoch.tmp'), '5')
  expect(await loadEpochs(folder, 0x4_0000_0001, logger)).toMatchObject({ current: 5 })
  expect(read('currentEpoch')).toBe('5')
})

it('a refusal changes nothing', async () => {
  writeFileSync(join(folder, 'acceptedEpoch'), '')
  expect(await loadEpochs(folder, 0, logger)).toMatchObject({
    kind: 'refused',
    file: 'acceptedEpoch',
  })
  expect(readdirSync(folder)).toEqual(['acceptedEpoch'])
})

it('a file of any length is read', async () => {
  writeFileSync(join(folder, 'acceptedEpoch'), `3\n${'x'.repeat(100_000)}`)
  writeFileSync(join(folder, 'currentEpoch'), '3'.repeat(100_000))
  expect(await loadEpochs(folder, 0x3_0000_0001, logger)).toMatchObject({ accepted: 3, current: 3 })
})

it('a file that cannot be read is an error', async () => {
  mkdirSync(join(folder, 'currentEpoch'))
  await expect(loadEpochs(folder, 0, logger)).rejects.toThrow('EISDIR')
})
