import { describe, expect, it } from 'vitest'
import { z } from '../../support/leader-rig.ts'
import { MemoryReplica, textEntry } from '../../support/memory-replica.ts'
import { planAsOriginal } from './sync.ts'

/** What a leader with those txns tells a learner that ends there. */
function planFor(peerZxid: number, ...zxids: readonly number[]): string {
  const replica = new MemoryReplica({ disk: { log: zxids.map((zxid) => textEntry(zxid)) } })
  const plan = planAsOriginal(peerZxid, replica, { forceSnapshotSync: false })
  const behind = plan.entries.map(({ zxid }) => zxid.toString(16)).join(' ')
  return `${plan.kind} ${plan.zxid.toString(16)}: ${behind}`
}

describe('how the original brings a learner up to date', () => {
  it('cuts back whoever is above all that is committed, whatever the epochs', () => {
    expect(planFor(z(1, 3), z(1, 1), z(1, 2))).toBe('trunc 100000002: ')
    expect(planFor(z(2, 1), z(1, 1), z(1, 2))).toBe('trunc 100000002: ')
  })

  it('sends what is missing, and a snapshot where it cannot tell', () => {
    expect(planFor(z(1, 2), z(1, 1), z(1, 2))).toBe('diff 100000002: ')
    expect(planFor(z(1, 1), z(1, 1), z(1, 2), z(2, 1))).toBe('diff 200000001: 100000002 200000001')
    expect(planFor(z(1, 3), z(1, 1), z(1, 2), z(2, 1))).toMatch(/^snap/)
    expect(planFor(z(2, 0), z(1, 1), z(2, 1))).toBe('diff 200000001: 200000001')
  })
})
