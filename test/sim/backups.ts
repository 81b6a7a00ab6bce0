import { gunzipSync } from 'node:zlib'
import { SnapshotEncoder } from '../../src/persistence/snapshot-format.ts'
import type { Member } from '../../src/server/member.ts'
import { loadRulesOf } from '../../src/server/storage/load.ts'
import { readBackup } from '../../src/server/storage/restore.ts'
import { SliceFeed } from '../../src/server/storage/slice-feed.ts'
import { TreeDump } from '../../src/tree/tree-dump.ts'
import type { Chance } from './chance.ts'
import type { Cover } from './coverage.ts'
import type { EventHeap } from './event-heap.ts'
import { Violation } from './history.ts'
import type { Ledger } from './ledger.ts'
import type { TakenBackup } from './restores.ts'
import type { SimProcess } from './sim-process.ts'

export interface BackupsParts {
  readonly heap: EventHeap
  readonly chance: Chance
  readonly processes: readonly SimProcess[]
  readonly ledger: Ledger
  readonly sliceBytes: number
  readonly cover: Cover
  readonly onTaken: (process: SimProcess, backup: TakenBackup) => void
  readonly onFault: (error: unknown) => void
}

const EVERY_MS = 2000
const SLICE_MS = 5
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/**
 * An operator takes backups of members that serve, slowly, while the database changes. Each is read
 * back, and must be the state that there was when it was begun.
 */
export class Backups {
  readonly #parts: BackupsParts

  constructor(parts: BackupsParts) {
    this.#parts = parts
    this.#wait()
  }

  #wait(): void {
    const { heap, chance } = this.#parts
    heap.after(chance.exponential(EVERY_MS), () => this.#begin())
  }

  /** As AdminDatabase does, but for the size of a slice. */
  #begin(): void {
    const { chance, processes, sliceBytes } = this.#parts
    const process = chance.pick(processes)
    const { member } = process
    if (member === undefined || member.role === 'none') return this.#wait()
    const { tree, sessions } = member
    const timeouts = [...sessions.all].map(([id, { timeoutMs }]) => [id, timeoutMs] as const)
    const dump = new TreeDump(tree, timeouts, 'exact')
    const tail = { digest: true, lastProcessedZxid: true }
    this.#take(process, member, new SliceFeed(new SnapshotEncoder(dump, tail), sliceBytes), [])
  }

  #take(process: SimProcess, member: Member, feed: SliceFeed, slices: readonly Buffer[]): void {
    const { heap, chance, cover, onFault } = this.#parts
    const slice = process.member === member ? feed.next() : undefined
    if (slice !== undefined) {
      heap.after(chance.exponential(SLICE_MS), () =>
        this.#take(process, member, feed, [...slices, slice]),
      )
      return
    }
    feed.close()
    this.#wait()
    // Who ends, or takes another one's database over, has no backup to give.
    if (process.member !== member || feed.problem !== undefined) return cover('backup given up')
    cover('backup taken')
    if (member.tree.lastProcessedZxid > feed.zxid) cover('backup taken while writes were done')
    try {
      this.#judge(process, feed.zxid, slices)
    } catch (error) {
      onFault(error)
    }
  }

  #judge(process: SimProcess, zxid: number, slices: readonly Buffer[]): void {
    const { host, config } = process
    const { ledger, onTaken } = this.#parts
    const rules = loadRulesOf(config, true)
    const backup = readBackup(slices, (packed) => gunzipSync(packed), rules, silent)
    if (typeof backup === 'string')
      throw new Violation('a backup is a state that there was', `${host}: ${backup}`)
    const digest = backup.tree.digest.toBigInt()
    ledger.onState(`a backup of ${host}`, zxid, digest)
    onTaken(process, { zxid, slices, digest, sessions: new Set(backup.sessions.keys()) })
  }
}
