import type { Chance } from './chance.ts'
import type { Cover } from './coverage.ts'
import type { EventHeap } from './event-heap.ts'
import type { SimProcess } from './sim-process.ts'

/** A backup that was read back, and found to be a state that there was. */
export interface TakenBackup {
  readonly zxid: number
  readonly slices: readonly Buffer[]
  readonly digest: bigint
  readonly sessions: ReadonlySet<bigint>
}

/** A database that has taken the place of another, as the history tells it. */
export interface Restored {
  /** The newest txn of the database that was replaced: nothing later of it was ever shown. */
  readonly from: number
  /** What the database goes on from. */
  readonly zxid: number
  readonly backup: TakenBackup
}

export interface RestoresParts {
  readonly heap: EventHeap
  readonly chance: Chance
  readonly cover: Cover
  readonly crash: (process: SimProcess, how: 'power' | 'kill') => void
  /** Nothing is restored later, in simulated ms. */
  readonly untilMs: number
}

/** From a backup to its restore, mean: writes are done in between, sessions begin and end. */
const LATER_MS = 1500
const RESTART_MS = 500
/** Of backups, so many are put back. */
const TAKEN_SHARE = 0.5
/** How often it is looked whether clients wait for something, and for how long. */
const LOOK_MS = 0.25
const BUSY_LOOKS_MAX = 4000
/** Of restores, so many have a crash beside them. */
const CRASH_SHARE = 0.5

/**
 * An operator puts backups back into a standalone server, on the way of production. At times the process
 * or the machine ends right before, while, or after the server does so.
 */
export class Restores {
  readonly #parts: RestoresParts

  constructor(parts: RestoresParts) {
    this.#parts = parts
  }

  onTaken(process: SimProcess, backup: TakenBackup): void {
    const { heap, chance } = this.#parts
    if (!chance.chance(TAKEN_SHARE)) return
    const looksMax = chance.pick([0, BUSY_LOOKS_MAX])
    heap.after(chance.exponential(LATER_MS), () => this.#whenBusy(process, backup, looksMax))
  }

  /** Mostly nothing is under way at any one moment. */
  #whenBusy(process: SimProcess, backup: TakenBackup, looksLeft: number): void {
    const { heap, untilMs } = this.#parts
    if (heap.now >= untilMs) return
    const outstanding = process.member?.clients.outstandingRequests ?? 0
    if (outstanding > 0 || looksLeft === 0) this.#restore(process, backup)
    else heap.after(LOOK_MS, () => this.#whenBusy(process, backup, looksLeft - 1))
  }

  #restore(process: SimProcess, backup: TakenBackup): void {
    const { heap, chance, crash } = this.#parts
    if (chance.chance(CRASH_SHARE)) {
      const how = chance.pick(['power', 'kill'] as const)
      heap.after(chance.exponential(chance.pick([0.01, 0.3, 1, 5, 50])), () => crash(process, how))
    }
    const ask = (): void => process.restore(backup, () => this.#restart(process))
    if (chance.chance(0.5)) ask()
    else heap.after(chance.exponential(0.2), ask)
  }

  /** It could not be written: the server says that it serves nobody before it is started again. */
  #restart(process: SimProcess): void {
    const { heap, chance, cover } = this.#parts
    cover('restore failed: no room')
    const { crashes } = process
    heap.after(chance.exponential(RESTART_MS), () => {
      if (process.crashes !== crashes) return
      process.crash('kill')
      process.boot()
    })
  }
}
