import { describe, expect, it } from 'vitest'
import { firstSessionId, formatSessionId, sessionPassword } from '../../../src/data/session-id.ts'

describe('a session id', () => {
  // golden/datadir-standalone/expected.json, and a negative id computed by java.util.Random.
  it.each([
    [0x100000d0e020000n, 'ccb5ed7a69e130358a1b21135afeb088'],
    [0x100000d0e020001n, 'dfd6e77a092d107a7f5e883e2e87c555'],
    [0x100000d0e020005n, '2b5bd07a895b8d8d546a25ec7caa178a'],
  ])('%d has the recorded password', (id, password) => {
    expect(sessionPassword(id).toString('hex')).toBe(password)
  })

  it('above the middle of the range is a negative long, with the same password', () => {
    const id = 0xfe00000d0e020000n
    expect(sessionPassword(BigInt.asIntN(64, id))).toEqual(sessionPassword(id))
  })

  it('begins with the server id, then 40 bits of the clock, then the counter', () => {
    expect(firstSessionId(1, 0xab_1234567890)).toBe(0x01_1234567890_0000n)
    expect(firstSessionId(0, 0x12_34567890)).toBe(0x00_1234567890_0000n)
    expect(firstSessionId(254, 1.9)).toBe(BigInt.asIntN(64, 0xfe_0000000001_0000n))
  })

  it('is shown as an unsigned long in hex', () => {
    expect(formatSessionId(0x100000d0e020000n)).toBe('0x100000d0e020000')
    expect(formatSessionId(-1n)).toBe('0xffffffffffffffff')
  })
})
