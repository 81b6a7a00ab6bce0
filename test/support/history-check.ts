import type { Operation, Read, Write } from './history.ts'

export interface HistoryRules {
  /** The value of version 0, with which every register was created. */
  readonly initialValue: string
  /**
   * Sync and read see every write that was acknowledged before the sync. With the original as the
   * leader they nearly always do.
   */
  readonly syncIsBarrier: boolean
}

/**
 * Whether there is one order of all operations that explains the history and fits the times: whether
 * it is linearizable, but for reads without a sync, which may be old as long as they never go back
 * for one client. Nothing has to be searched for: versions and zxids tell the order of the writes, so
 * what remains is to compare. Answers what is wrong, as lines; an empty list for a sound history.
 */
export function checkHistory(history: readonly Operation[], rules: HistoryRules): string[] {
  const writes = history.filter((operation) => operation.kind === 'write')
  const reads = history.filter((operation) => operation.kind === 'read')
  const problems = [...checkZxids(writes), ...checkClients(history)]
  const registers = new Set(history.map((operation) => operation.register))
  for (const register of registers) {
    const mine = writes.filter((write) => write.register === register)
    const seen = reads.filter((read) => read.register === register)
    problems.push(...new RegisterCheck(mine, seen, history, rules).run())
  }
  return problems
}

const show = (operation: Operation): string => JSON.stringify(operation)

/** A write that began after another was acknowledged has the larger zxid; across all registers. */
function checkZxids(writes: readonly Write[]): string[] {
  const problems: string[] = []
  const acked = writes.filter((write) => write.outcome === 'ok')
  const byReturn = [...acked].sort((a, b) => a.returnedMs - b.returnedMs)
  const byInvocation = [...acked].sort((a, b) => a.invokedMs - b.invokedMs)
  let newest: Write | undefined
  let next = 0
  for (const write of byInvocation) {
    for (; next < byReturn.length; next += 1) {
      const before = byReturn[next]
      if (before === undefined || before.returnedMs >= write.invokedMs) break
      if (newest === undefined || before.zxid > newest.zxid) newest = before
    }
    if (newest !== undefined && newest.zxid >= write.zxid)
      problems.push(`zxids against time: ${show(newest)} was acknowledged before ${show(write)}`)
  }
  return problems
}

/** What one client sends takes effect in that order, and what it is shown never goes back. */
function checkClients(history: readonly Operation[]): string[] {
  const problems: string[] = []
  for (const client of new Set(history.map((operation) => operation.client))) {
    const operations = history.filter((operation) => operation.client === client)
    let wrote: Write | undefined
    let saw: Operation | undefined
    const versions = new Map<string, Operation>()
    for (const operation of operations.sort((a, b) => a.seq - b.seq)) {
      if (operation.kind === 'write' && operation.outcome !== 'ok') continue
      if (operation.kind === 'write' && wrote !== undefined && wrote.zxid >= operation.zxid)
        problems.push(`a client's order: ${show(wrote)} was sent before ${show(operation)}`)
      if (saw !== undefined && saw.zxid > operation.zxid)
        problems.push(`a client's view went back: ${show(saw)} and then ${show(operation)}`)
      const older = versions.get(operation.register)
      if (older !== undefined && older.version > operation.version)
        problems.push(`a client's register went back: ${show(older)}, then ${show(operation)}`)
      versions.set(operation.register, operation)
      if (operation.kind === 'write') wrote = operation
      saw = operation
    }
  }
  return problems
}

/** A version of a register: who may have made it, and when at the earliest and the latest. */
interface Slot {
  readonly value: string | undefined
  readonly write: Write | undefined
}

/** When the maker of a version must have been at work: milliseconds. */
interface Window {
  readonly fromMs: number
  readonly untilMs: number
}

/** Makers that are tried for the versions of one register. */
const SEARCH_STEPS_MAX = 100_000

class RegisterCheck {
  readonly #writes: readonly Write[]
  readonly #reads: readonly Read[]
  readonly #rules: HistoryRules
  readonly #problems: string[] = []
  readonly #slots: Map<number, Slot> = new Map()
  readonly #byValue: Map<string, Write> = new Map()
  /** By client, ascending: when it was told of a write that it had sent. */
  readonly #acks: Map<number, Write[]> = new Map()

  constructor(
    writes: readonly Write[],
    reads: readonly Read[],
    history: readonly Operation[],
    rules: HistoryRules,
  ) {
    this.#writes = writes
    this.#reads = reads
    this.#rules = rules
    for (const operation of history)
      if (operation.kind === 'write' && operation.outcome === 'ok') {
        const acks = this.#acks.get(operation.client)
        if (acks === undefined) this.#acks.set(operation.client, [operation])
        else acks.push(operation)
      }
    for (const acks of this.#acks.values()) acks.sort((a, b) => a.seq - b.seq)
  }

  run(): string[] {
    this.#slots.set(0, { value: this.#rules.initialValue, write: undefined })
    for (const write of this.#writes) this.#placeAcknowledged(write)
    for (const read of this.#reads) this.#placeRead(read)
    this.#fillGaps()
    this.#checkTimes()
    for (const write of this.#writes) if (write.outcome === 'refused') this.#checkRefusal(write)
    for (const read of this.#reads) this.#checkRead(read)
    return this.#problems
  }

  #placeAcknowledged(write: Write): void {
    this.#byValue.set(write.value, write)
    if (write.outcome !== 'ok') return
    const other = this.#slots.get(write.version)
    if (other !== undefined)
      this.#problems.push(`two writes made one version: ${show(write)}, ${JSON.stringify(other)}`)
    this.#slots.set(write.version, { value: write.value, write })
    if (write.expected >= 0 && write.version !== write.expected + 1)
      this.#problems.push(`a version was not the expected one: ${show(write)}`)
  }

  /** A read tells who has made a version, where the writer was not told. */
  #placeRead(read: Read): void {
    const slot = this.#slots.get(read.version)
    if (slot !== undefined) {
      if (slot.value !== read.value)
        this.#problems.push(`read: ${show(read)}, but the version is ${JSON.stringify(slot)}`)
      return
    }
    const write = this.#byValue.get(read.value)
    if (write === undefined || write.outcome !== 'unknown')
      this.#problems.push(`read what was not written, or written as another version: ${show(read)}`)
    else if (write.expected >= 0 && write.expected + 1 !== read.version)
      this.#problems.push(`a version was not the expected one: ${show(write)}, ${show(read)}`)
    else if ([...this.#slots.values()].some((other) => other.write === write))
      this.#problems.push(`a write took effect twice: ${show(write)}, again in ${show(read)}`)
    this.#slots.set(read.version, { value: read.value, write })
  }

  /**
   * A version that nobody has seen was made by a write without an answer, each by another one. Which by
   * which may have to be searched for: what can have made only this version need not have made it.
   */
  #fillGaps(): void {
    const newest = this.#newest
    const gaps: number[] = []
    for (let version = 1; version < newest; version += 1)
      if (!this.#slots.has(version)) gaps.push(version)
    const placed = new Set([...this.#slots.values()].map((slot) => slot.write))
    const open = this.#writes
      .filter((write) => write.outcome === 'unknown' && !placed.has(write))
      .sort((a, b) => this.#latestMs(a) - this.#latestMs(b))
    const windows = new Map(gaps.map((version) => [version, this.#windowOf(version)]))
    const search = { steps: SEARCH_STEPS_MAX, deepest: 0 }
    if (this.#fill(gaps, 0, 0, new Set(open), windows, search)) return
    const at = gaps[search.deepest]
    this.#problems.push(
      search.steps === 0
        ? `too many ways to make the versions ${gaps.join(', ')} of ${this.#name}`
        : `nobody can have made version ${at} of ${this.#name}`,
    )
  }

  /** Finds a maker for each gap from that one on. `sinceMs`: when the latest maker below it began. */
  #fill(
    gaps: readonly number[],
    index: number,
    sinceMs: number,
    open: Set<Write>,
    windows: ReadonlyMap<number, Window>,
    search: { steps: number; deepest: number },
  ): boolean {
    const version = gaps[index]
    if (version === undefined) return true
    search.deepest = Math.max(search.deepest, index)
    const { fromMs, untilMs } = windows.get(version) ?? { fromMs: 0, untilMs: Infinity }
    const from = Math.max(fromMs, sinceMs)
    for (const write of [...open]) {
      if (search.steps === 0) return false
      search.steps -= 1
      if (write.expected >= 0 && write.expected + 1 !== version) continue
      if (write.invokedMs > untilMs || this.#latestMs(write) < from) continue
      open.delete(write)
      const since = Math.max(from, write.invokedMs)
      if (this.#fill(gaps, index + 1, since, open, windows, search)) {
        this.#slots.set(version, { value: write.value, write })
        return true
      }
      open.add(write)
    }
    return false
  }

  /** When the known makers below had begun, and when one above was there at the latest. */
  #windowOf(version: number): Window {
    let fromMs = 0
    for (const [below, { write }] of this.#slots)
      if (below < version && write !== undefined) fromMs = Math.max(fromMs, write.invokedMs)
    return { fromMs, untilMs: this.#knownReturnMs(version) }
  }

  get #newest(): number {
    return [...this.#slots.keys()].reduce((a, b) => Math.max(a, b))
  }

  get #name(): string {
    return this.#writes[0]?.register ?? ''
  }

  /** When a version above, of those of which that is known, was there at the latest. */
  #knownReturnMs(version: number): number {
    let earliest = Infinity
    for (const [above, { write }] of this.#slots)
      if (above > version && write !== undefined)
        earliest = Math.min(earliest, this.#latestMs(write))
    return earliest
  }

  /**
   * When a write had taken effect at the latest, if ever. What has had no answer takes effect before
   * the next write of the same client that has one: the session's order holds over its connections.
   */
  #latestMs(write: Write): number {
    if (write.outcome === 'ok') return write.returnedMs
    const next = this.#acks.get(write.client)?.find((ack) => ack.seq > write.seq)
    return next?.returnedMs ?? Infinity
  }

  /** Of two versions the smaller was there first: its write cannot have begun after the other's end. */
  #checkTimes(): void {
    const versions = [...this.#slots.keys()].sort((a, b) => a - b)
    let latest: Write | undefined
    for (const version of versions) {
      const write = this.#slots.get(version)?.write
      if (write === undefined) continue
      if (latest !== undefined && this.#latestMs(write) < latest.invokedMs)
        this.#problems.push(`versions against time: ${show(latest)} is below ${show(write)}`)
      if (latest === undefined || write.invokedMs > latest.invokedMs) latest = write
    }
  }

  /** BadVersion is wrong when the version was the expected one all the time. */
  #checkRefusal(write: Write): void {
    const made = this.#slots.get(write.expected)
    const madeBefore =
      made !== undefined &&
      (made.write === undefined || this.#latestMs(made.write) < write.invokedMs)
    const next = this.#slots.get(write.expected + 1)?.write
    if (madeBefore && (next === undefined || next.invokedMs > write.returnedMs))
      this.#problems.push(`refused although the version was right: ${show(write)}`)
  }

  #checkRead(read: Read): void {
    const write = this.#slots.get(read.version)?.write
    if (write !== undefined && write.invokedMs > read.returnedMs)
      this.#problems.push(`read before it was written: ${show(read)}, ${show(write)}`)
    if (!read.synced || !this.#rules.syncIsBarrier) return
    for (const other of this.#writes)
      if (
        other.outcome === 'ok' &&
        other.returnedMs < read.invokedMs &&
        other.version > read.version
      ) {
        this.#problems.push(`sync and read missed ${show(other)}: ${show(read)}`)
        return
      }
  }
}
