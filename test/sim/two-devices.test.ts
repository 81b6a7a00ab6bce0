import { describe, expect, it } from 'vitest'
import type { CoverageEvent } from './coverage.ts'
import { Simulation } from './simulation.ts'
import { drawSwarm, type FaultKind } from './swarm.ts'

/** So many runs may be needed to meet an event; the seeds are fixed, so it is always the same number. */
const SEEDS_MAX = 8

/** How often an event was met by the first run that meets it; 0: by none. */
function met(event: CoverageEvent, faults: readonly FaultKind[], logDevices: readonly number[]) {
  for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
    const settings = { snapCount: '10', snapshotSizeFactor: '-1' }
    const shape = { logDevices, faultEveryMs: 300, observers: 0, thinkMs: 20, settings }
    const swarm = drawSwarm(seed, { members: 3, faultyMs: 6000, faults, shape })
    const times = new Simulation({ swarm }).run().coverage.get(event) ?? 0
    if (times > 0) return times
  }
  return 0
}

const all = [1, 2, 3]

describe('members with their logs on a device of their own', () => {
  it.each<[CoverageEvent, FaultKind]>([
    ['log written while the device of snapshots was stuck', 'stuckDisk'],
    ['snapshot written while the device of the log was stuck', 'stuckDisk'],
    ['log without room on its own device', 'fullDisk'],
    ['epoch without room on its own device', 'fullDisk'],
    ['one of two devices lost', 'wipe'],
    ['start without the log that was lost', 'wipe'],
    ['start refused: one of two devices lost', 'wipe'],
  ])(
    'meet: %s',
    (event, fault) => {
      const faults: readonly FaultKind[] = [fault, 'kill']
      expect(met(event, faults, all)).toBeGreaterThan(0)
    },
    60_000,
  )

  it('are met by one in four seeds, and one device is what the others have', () => {
    const drawn = Array.from({ length: 400 }, (_, seed) => drawSwarm(seed + 1).logDevices ?? [])
    const split = drawn.filter((sids) => sids.length > 0)
    expect(split.length).toBeGreaterThan(60)
    expect(split.length).toBeLessThan(140)
  })

  it('are not what somebody gets who asks for certain faults', () => {
    expect(drawSwarm(1, { faults: ['stuckDisk'] }).logDevices).toEqual([])
  })
})
