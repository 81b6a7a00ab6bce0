import { describe, expect, it } from 'vitest'
import {
  DEFERRAL_MS_MAX,
  GAP_MS_MIN,
  PAUSE_MS_MIN,
  PauseWatch,
} from '../../../src/server/pause-watch.ts'

describe('a pause', () => {
  it('is noticed from a length on, and over when all was read', () => {
    const pauses = new PauseWatch()
    expect(pauses.onTime(1_000_000)).toBe(0)
    expect(pauses.onTime(1_000_000 + PAUSE_MS_MIN - 1)).toBe(0)
    expect(pauses.onTime(1_000_000 + 2 * PAUSE_MS_MIN - 1)).toBe(PAUSE_MS_MIN)
    pauses.onTurnEnd()
    expect(pauses.isInputRead).toBe(false)
    pauses.onTurnEnd()
    expect(pauses.isInputRead).toBe(true)
  })

  it('lets nobody be judged before all was read, though it be too short to make up for', () => {
    const pauses = new PauseWatch()
    pauses.onTime(1_000_000)
    expect(pauses.onTime(1_000_000 + GAP_MS_MIN - 1)).toBe(0)
    expect(pauses.isInputRead).toBe(true)
    expect(pauses.onTime(1_000_000 + 2 * GAP_MS_MIN - 1)).toBe(0)
    expect(pauses.isInputRead).toBe(false)
    pauses.onTurnEnd()
    pauses.onTurnEnd()
    expect(pauses.isInputRead).toBe(true)
  })

  it('does not keep a process from judging all of whose turns are long', () => {
    const pauses = new PauseWatch()
    let judgedMono = 1_000_000
    for (let now = judgedMono; now < 1_010_000; now += GAP_MS_MIN + 20) {
      pauses.onTime(now)
      if (pauses.isInputRead) judgedMono = now
      expect(now - judgedMono).toBeLessThan(DEFERRAL_MS_MAX + 3 * (GAP_MS_MIN + 20))
      pauses.onTurnEnd()
    }
  })
})
