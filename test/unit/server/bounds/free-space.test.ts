import { describe, expect, it } from 'vitest'
import { OpCode } from '../../../../src/data/op-code.ts'
import { FreeSpace, needsRoom } from '../../../../src/server/bounds/free-space.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

describe('the room for the log', () => {
  it('is low below the limit, until there is a quarter more, and each is said once', () => {
    const said: string[] = []
    const logger = {
      ...silentLogger,
      error: () => said.push('low'),
      info: () => said.push('room'),
    }
    const space = new FreeSpace(1000, logger)
    const low = [1000, 999, 500, 1000, 1249, 1250, 1000, 999].map((bytes) => {
      space.onMeasured(bytes)
      return space.isLow
    })
    expect(low).toEqual([false, true, true, true, true, false, false, true])
    expect(said).toEqual(['low', 'room', 'low'])
  })

  it('is never low without a limit', () => {
    const space = new FreeSpace(0, silentLogger)
    space.onMeasured(0)
    expect(space.isLow).toBe(false)
  })

  it('is asked for by writes, not by what ends a session or reads', () => {
    const { create, multi, closeSession, getData, sync } = OpCode
    const needs = [create, multi, closeSession, getData, sync].map(needsRoom)
    expect(needs).toEqual([true, true, false, false, false])
  })
})
