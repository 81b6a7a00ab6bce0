import { describe, expect, it } from 'vitest'
import { Progress } from '../../../../src/quorum/learning/progress.ts'
import { PacketType } from '../../../../src/quorum/wire/packets.ts'

describe('how far a learner has come', () => {
  it('goes one step after the other, and tells since when it waits', () => {
    const progress = new Progress(100, false)
    const steps = ['pause', 'LEADERINFO', 'acceptedEpoch', 'sync mode', 'NEWLEADER'] as const
    for (const [at, step] of steps.entries()) {
      progress.mono = 200 + at
      progress.waitFor(step)
      expect([progress.step, progress.waitsSinceMono]).toEqual([step, 200 + at])
    }
    expect(progress.syncSinceMono).toBe(203)
    for (const step of ['currentEpoch', 'UPTODATE', 'broadcast'] as const) progress.waitFor(step)
    progress.end()
    expect(progress.step).toBe('end')
  })

  it('leaves no step out: UPTODATE is not heeded before the epoch is on the disk', () => {
    const progress = new Progress(0, false)
    for (const step of ['pause', 'LEADERINFO', 'sync mode', 'NEWLEADER'] as const)
      progress.waitFor(step)
    expect(() => progress.waitFor('UPTODATE')).toThrow('UPTODATE after NEWLEADER')
    expect(() => progress.waitFor('LEADERINFO')).toThrow()
  })

  it('names a packet that is out of place', () => {
    const progress = new Progress(0, false)
    const packet = { type: PacketType.commit, data: null, authinfo: [] }
    expect(progress.outOfPlace({ ...packet, zxid: 2 ** 32 + 1 })).toBe(
      'COMMIT of 0x100000001 where connection was awaited',
    )
    expect(progress.outOfPlace({ ...packet, zxid: -1 })).toBe('COMMIT where connection was awaited')
  })
})
