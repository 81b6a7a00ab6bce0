/**
 * What a row of runs must have met to prove anything. An event is named here, and counted where it is
 * seen: in a simulated machine, network, disk or client, never in src. `least` is a share of seeds:
 * so many of them must meet it at least; about a third of what was measured. 0: told, not judged.
 */
export const coverageEvents = {
  // Roles and elections
  'leadership begun': { least: 0.3 },
  'role ended': { least: 0.25 },
  'role ended with writes in flight': { least: 0.2 },
  'role ended with proposals uncommitted': { least: 0.15 },
  'role ended while it synchronised': { least: 0.015 },
  'epoch handed over with sessions': { least: 0.25 },
  // Synchronisation
  'DIFF sent': { least: 0.3 },
  'TRUNC sent': { least: 0.003 },
  'SNAP sent': { least: 0.2 },
  'SNAP of several writes': { least: 0.05 },
  'SNAP broken off in its stream': { least: 0 },
  'SNAP given up before it was on disk': { least: 0 },
  'TRUNC under way when a role ended': { least: 0 },
  'TRUNC under way when a process died': { least: 0 },
  'COMMIT before NEWLEADER': { least: 0.15 },
  // Turns
  'turn ended with committed txns unapplied': { least: 0.11 },
  // Disk
  'process died': { least: 0.25 },
  'process died with writes on their way to disk': { least: 0.04 },
  'snapshot written': { least: 0.4 },
  'snapshot of several slices': { least: 0.11 },
  'snapshot abandoned': { least: 0.01 },
  'snapshot under way when a role ended': { least: 0.007 },
  'snapshot under way when a process died': { least: 0.015 },
  'backup taken': { least: 0.3 },
  'backup taken while writes were done': { least: 0.03 },
  'backup given up': { least: 0 },
  'database restored': { least: 0.015 },
  'restore begun with requests outstanding': { least: 0.01 },
  'restore with a crash in it': { least: 0.01 },
  'restore failed: no room': { least: 0 },
  'write to the log failed': { least: 0.08 },
  'snapshot without room': { least: 0.01 },
  'start refused: damaged file': { least: 0.08 },
  'start from an older snapshot': { least: 0.015 },
  'state lost by a read': { least: 0 },
  'read failed while a learner was fed': { least: 0 },
  'purge while a learner was fed': { least: 0.02 },
  // Logs on a device of their own
  'log on a device of its own': { least: 0.08 },
  'log written while the device of snapshots was stuck': { least: 0.01 },
  'snapshot written while the device of the log was stuck': { least: 0 },
  'log without room on its own device': { least: 0.005 },
  'epoch without room on its own device': { least: 0 },
  'one of two devices lost': { least: 0 },
  'start without the log that was lost': { least: 0 },
  'start refused: one of two devices lost': { least: 0 },
  // A leader that behaves as the original does
  'the original leads': { least: 0.02 },
  'TRUNC across epochs': { least: 0 },
  'SNAP of what is proposed again': { least: 0 },
  'COMMIT before UPTODATE': { least: 0.01 },
  'PING before UPTODATE': { least: 0.006 },
  'REVALIDATE answered ahead of proposals': { least: 0.008 },
  'error txn under the zxid of the one before': { least: 0.012 },
  'forwarded request dropped': { least: 0 },
  // Aims
  'step struck at': { least: 0.08 },
  // Clients
  'session moved': { least: 0.25 },
  'session moved with writes in flight': { least: 0.2 },
  'session came back to its member with writes in flight': { least: 0.15 },
  'session expired': { least: 0.3 },
  'write refused: session moved': { least: 0 },
  'persistent watches set anew': { least: 0.1 },
  'request refused by an ACL': { least: 0.15 },
  'login answered late': { least: 0.15 },
  'connection lost while a login waited': { least: 0 },
  'usage below a quota read': { least: 0.1 },
  'write refused for a quota': { least: 0.03 },
  'container or TTL node taken away': { least: 0.15 },
  'client not read': { least: 0.05 },
  'client stops reading': { least: 0.09 },
  'client cut off: it does not read': { least: 0 },
  'leader not read': { least: 0.2 },
  'learner cut off': { least: 0 },
} as const

export type CoverageEvent = keyof typeof coverageEvents

/** Counts; handed to all that can see something. */
export type Cover = (event: CoverageEvent) => void

/**
 * An event is judged once so many seeds should have met it: with what is measured, chance alone then
 * falls short less than once in a million rows of runs.
 */
const EXPECTED_MIN = 16

/** The events of one run. */
export class Coverage {
  readonly counts: Map<CoverageEvent, number> = new Map()

  readonly cover: Cover = (event) => {
    this.counts.set(event, (this.counts.get(event) ?? 0) + 1)
  }
}

/** Over a row of runs: how often each event was met, and by how many seeds. */
export class CoverageSum {
  readonly #totals = new Map<CoverageEvent, number>()
  readonly #seeds = new Map<CoverageEvent, number>()
  #runs = 0

  add(counts: ReadonlyMap<CoverageEvent, number>): void {
    this.#runs += 1
    for (const [event, count] of counts) {
      this.#totals.set(event, (this.#totals.get(event) ?? 0) + count)
      this.#seeds.set(event, (this.#seeds.get(event) ?? 0) + 1)
    }
  }

  /** One line for each event that was not met by as many seeds as it should. */
  missed(): readonly string[] {
    return this.#rows()
      .filter(({ seeds, due }) => seeds < due)
      .map(({ event, seeds, due }) => `${event}: ${seeds} of ${this.#runs} seeds, at least ${due}`)
  }

  #rows(): readonly { event: CoverageEvent; total: number; seeds: number; due: number }[] {
    return Object.entries(coverageEvents).map(([name, { least }]) => {
      const event = name as CoverageEvent
      const expected = least * this.#runs
      return {
        event,
        total: this.#totals.get(event) ?? 0,
        seeds: this.#seeds.get(event) ?? 0,
        due: expected < EXPECTED_MIN ? 0 : Math.floor(expected),
      }
    })
  }

  /** The table, for people. */
  text(): string {
    const lines = this.#rows().map(({ event, total, seeds, due }) => {
      const share = this.#runs === 0 ? 0 : (100 * seeds) / this.#runs
      const mark = seeds < due ? `  TOO FEW, at least ${due}` : ''
      return `${event.padEnd(54)}${String(total).padStart(9)}${share.toFixed(1).padStart(8)} %${mark}`
    })
    return [
      'event                                                    times     seeds',
      ...lines,
    ].join('\n')
  }
}
