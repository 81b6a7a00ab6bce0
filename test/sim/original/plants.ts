import type { Plant } from '../plants.ts'
import { defaultBounds } from '../swarm-bounds.ts'

/** Three members, of whom the one that wins where all have the same leads as the original does. */
const shape = {
  original: 3,
  observers: 0,
  weights: undefined,
  groups: undefined,
  farEpoch: undefined,
} as const

/** Bugs that no leader of ours would ever bring to light. */
export const originalBugs: readonly Plant[] = [
  {
    name: 'let-in-before-the-sync',
    story:
      'a client that comes back is let in when REVALIDATE is answered, ahead of its last writes',
    patches: [
      {
        file: 'src/server/writes/forward-path.ts',
        from: 'if (!isValid || !isSynced || this.#returning',
        to: 'if (!isValid || this.#returning',
      },
    ],
    members: 3,
    faults: ['stuckDisk', 'reset'],
    shape: {
      ...shape,
      bounds: defaultBounds,
      clients: 6,
      idleShare: 0,
      slowReaderShare: 0,
      pipeline: 16,
      thinkMs: 5,
      tickMs: 500,
      timeoutMsMax: 8000,
      faultEveryMs: 150,
      faultyMs: 20_000,
      rates: { latencyMs: 1, jitterMs: 0.5, cutShare: 0, windowBytes: defaultBounds.windowBytes },
      settings: { tickTime: '500', globalOutstandingLimit: '1000' },
    },
    seedsMax: 100,
  },
]
