import { describe, expect, it } from 'vitest'
import {
  forEachTouch,
  parseLearnerInfo,
  parseLearnerRequest,
  parseRevalidate,
} from '../../../../src/quorum/wire/learner-info.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const full = bytes('0000000000000003 00010000 0000000100000002')

describe('what a learner says of itself', () => {
  it('is as much as its version knows of', () => {
    const none = { sid: undefined, protocolVersion: 0, configVersion: 0n }
    expect(parseLearnerInfo(null)).toEqual(none)
    expect(parseLearnerInfo(full.subarray(0, 7))).toEqual(none)
    expect(parseLearnerInfo(full.subarray(0, 8))).toEqual({ ...none, sid: 3 })
    const of34 = { sid: 3, protocolVersion: 0x10000, configVersion: 0n }
    expect(parseLearnerInfo(full.subarray(0, 12))).toEqual(of34)
    expect(parseLearnerInfo(full)).toEqual({ ...of34, configVersion: 0x1_0000_0002n })
  })

  it('is refused with a sid that is no exact number', () => {
    expect(parseLearnerInfo(bytes('7fffffffffffffff'))).toHaveProperty('problem')
  })
})

describe('sessions that a learner has heard of', () => {
  const touched = (data: Buffer | null): unknown => {
    const found: unknown[] = []
    return forEachTouch(data, (session, ms) => found.push([session, ms])) && found
  }

  it('come in pairs of session and timeout', () => {
    expect(touched(null)).toEqual([])
    expect(touched(bytes('ffffffffffffffff 00001388 0000000000000002 00000fa0'))).toEqual([
      [-1n, 5000],
      [2n, 4000],
    ])
  })

  it('are none of them heeded when the last is cut short', () => {
    expect(touched(bytes('0000000000000001 00001388 00000000000002'))).toBe(false)
  })
})

describe('what a learner forwards', () => {
  it('is who asks, what, and the body as it is', () => {
    const data = bytes('0000000000000005 00000009 00000001 cafe')
    const parsed = { sessionId: 5n, cxid: 9, op: 1, body: bytes('cafe') }
    expect(parseLearnerRequest(data)).toEqual(parsed)
  })

  it('is refused when it is cut short', () => {
    expect(parseLearnerRequest(null)).toHaveProperty('problem')
    expect(parseLearnerRequest(bytes('0000000000000005 00000009 0000'))).toHaveProperty('problem')
    expect(parseRevalidate(null)).toHaveProperty('problem')
    expect(parseRevalidate(bytes('0000000000000005 0000'))).toHaveProperty('problem')
    const whole = bytes('0000000000000005 00001388')
    expect(parseRevalidate(whole)).toEqual({ sessionId: 5n, timeoutMs: 5000 })
  })
})
