import { assert } from '../base/assert.ts'
import { parentOf } from '../data/path.ts'

/** Bits, as one watcher may hold several on one path. */
export const WatchMode = { Standard: 1, Persistent: 2, Recursive: 4 } as const
export type WatchMode = (typeof WatchMode)[keyof typeof WatchMode]

/** Counted down: an iterator at its end does not say so before it is asked once more. */
interface GonePaths {
  left: number
  readonly rest: IterableIterator<string>
}

/** One of the two halves of WatchTable: watchers and their modes by path, and the way back. */
export class ModeTable<W extends object> {
  readonly #watchersOf = new Map<string, PathWatchers<W>>()
  readonly #pathsOf = new Map<W, Set<string>>()
  /**
   * Watchers that are gone, oldest first, with the paths at which #watchersOf still has them. Nobody
   * outside sees them there any more, and they set no watch again.
   */
  readonly #gone = new Map<W, GonePaths>()
  #watchCount = 0
  /** While zero, a trigger looks at its own path only. */
  #recursiveCount = 0

  add(path: string, watcher: W, mode: WatchMode): void {
    if (this.#gone.size !== 0)
      assert(!this.#gone.has(watcher), 'a watcher that is gone sets a watch')
    const watchers = this.#watchersOf.get(path)
    const modes = watchers?.get(watcher) ?? 0
    if ((modes & mode) !== 0) return
    if (watchers === undefined) this.#watchersOf.set(path, new PathWatchers(watcher, mode))
    else watchers.set(watcher, modes | mode)
    if (mode === WatchMode.Recursive) this.#recursiveCount += 1
    if (modes === 0) this.#link(path, watcher)
  }

  /**
   * Who must be told of an event on `path`, each once: its own watchers and the recursive ones of
   * its ancestors. The standard watches among them are used up. Undefined: nobody.
   */
  take(path: string): Set<W> | undefined {
    let told: Set<W> | undefined
    const watchers = this.#watchersOf.get(path)
    if (watchers !== undefined) {
      told = new Set(watchers.watchers())
      if (this.#gone.size !== 0) this.#dropGone(told)
      for (const watcher of told) this.remove(path, watcher, WatchMode.Standard)
    }
    return this.#recursiveCount === 0 ? told : this.#addRecursiveAncestors(path, told)
  }

  /** False: the watcher had none of `modes` (bits of WatchMode) on the path. */
  remove(path: string, watcher: W, modes: number): boolean {
    const watchers = this.#watchersOf.get(path)
    if (watchers === undefined) return false
    const had = watchers.get(watcher)
    if ((had & modes) === 0) return false
    assert(
      this.#gone.size === 0 || !this.#gone.has(watcher),
      'a watch is taken from a gone watcher',
    )
    const left = this.#takeModes(path, watchers, watcher, modes)
    if (left === 0) this.#unlink(path, watcher)
    return true
  }

  /** It gets no event any more and counts no more. Its watches are removed by `sweep`. */
  removeWatcher(watcher: W): void {
    const paths = this.#pathsOf.get(watcher)
    if (paths === undefined) return
    this.#pathsOf.delete(watcher)
    this.#watchCount -= paths.size
    this.#gone.set(watcher, { left: paths.size, rest: paths.values() })
  }

  /** Clears away up to so many watches of watchers that are gone; returns how many these were. */
  sweep(watchesMax: number): number {
    let swept = 0
    for (const [watcher, paths] of this.#gone) {
      for (; paths.left > 0 && swept < watchesMax; swept += 1) {
        const path = paths.rest.next().value
        assert(path !== undefined, 'a gone watcher has fewer paths than it had')
        this.#erase(path, watcher)
        paths.left -= 1
      }
      if (paths.left > 0) return swept
      this.#gone.delete(watcher)
    }
    return swept
  }

  /** There is something to sweep. */
  get hasGone(): boolean {
    return this.#gone.size !== 0
  }

  /** Bits of WatchMode; 0 if the watcher has no watch on the path. */
  modesOf(path: string, watcher: W): number {
    if (this.#gone.has(watcher)) return 0
    return this.#watchersOf.get(path)?.get(watcher) ?? 0
  }

  /** Pairs of a watcher and a path, whatever the number of modes. */
  get watchCount(): number {
    return this.#watchCount
  }

  /**
   * While gone watchers are swept, the paths that they alone watched are still in the map: no more
   * paths are watched than there are watches, so that is told if it is less.
   */
  get pathCount(): number {
    return Math.min(this.#watchersOf.size, this.#watchCount)
  }

  get watcherCount(): number {
    return this.#pathsOf.size
  }

  /** Nobody at all may watch a path that only gone watchers did; so much is work for the caller, too. */
  *byPath(): IterableIterator<readonly [path: string, watchers: Iterable<W>]> {
    for (const [path, watchers] of this.#watchersOf) yield [path, this.#present(watchers)]
  }

  *byWatcher(): IterableIterator<readonly [watcher: W, paths: Iterable<string>]> {
    for (const [watcher, paths] of this.#pathsOf)
      yield [watcher, this.#whilePresent(watcher, paths)]
  }

  *#present(watchers: PathWatchers<W>): IterableIterator<W> {
    for (const watcher of watchers.watchers()) if (!this.#gone.has(watcher)) yield watcher
  }

  *#whilePresent(watcher: W, paths: ReadonlySet<string>): IterableIterator<string> {
    for (const path of paths) {
      if (this.#pathsOf.get(watcher) !== paths) return
      yield path
    }
  }

  #dropGone(told: Set<W>): void {
    for (const watcher of told) if (this.#gone.has(watcher)) told.delete(watcher)
  }

  /** What is left of the watcher's modes there. */
  #takeModes(path: string, watchers: PathWatchers<W>, watcher: W, modes: number): number {
    const had = watchers.get(watcher)
    if ((had & modes & WatchMode.Recursive) !== 0) this.#recursiveCount -= 1
    const left = had & ~modes
    watchers.set(watcher, left)
    if (watchers.isEmpty) this.#watchersOf.delete(path)
    return left
  }

  #erase(path: string, gone: W): void {
    const watchers = this.#watchersOf.get(path)
    assert(watchers !== undefined, `nobody knows the watch of a gone watcher on ${path}`)
    this.#takeModes(path, watchers, gone, ~0)
  }

  #addRecursiveAncestors(path: string, told: Set<W> | undefined): Set<W> | undefined {
    let all = told
    for (let above = parentOf(path); above !== ''; above = parentOf(above)) {
      const watchers = this.#watchersOf.get(above)
      if (watchers === undefined) continue
      for (const watcher of watchers.watchers()) {
        if ((watchers.get(watcher) & WatchMode.Recursive) === 0) continue
        if (this.#gone.size !== 0 && this.#gone.has(watcher)) continue
        all ??= new Set()
        all.add(watcher)
      }
    }
    return all
  }

  #link(path: string, watcher: W): void {
    this.#watchCount += 1
    const paths = this.#pathsOf.get(watcher)
    if (paths === undefined) this.#pathsOf.set(watcher, new Set([path]))
    else paths.add(path)
  }

  /** A connection whose last watch has fired is no longer a watching one. */
  #unlink(path: string, watcher: W): void {
    this.#watchCount -= 1
    const paths = this.#pathsOf.get(watcher)
    assert(paths?.delete(path) === true, `watcher does not know its watch on ${path}`)
    if (paths.size === 0) this.#pathsOf.delete(watcher)
  }
}

/**
 * The watchers of one path. Nearly every watched path has a single watcher, and there may be
 * millions of such paths, so a Map (about 200 bytes) is made for the second one only.
 */
class PathWatchers<W extends object> {
  #only: W | undefined
  #onlyModes: number
  #all: Map<W, number> | undefined

  constructor(watcher: W, modes: number) {
    this.#only = watcher
    this.#onlyModes = modes
  }

  get isEmpty(): boolean {
    return this.#all === undefined ? this.#only === undefined : this.#all.size === 0
  }

  get(watcher: W): number {
    if (this.#all !== undefined) return this.#all.get(watcher) ?? 0
    return this.#only === watcher ? this.#onlyModes : 0
  }

  /** No modes: the watcher is gone from this path. */
  set(watcher: W, modes: number): void {
    if (this.#all === undefined && this.#only !== watcher) this.#all = this.#spread()
    if (this.#all !== undefined) {
      if (modes === 0) this.#all.delete(watcher)
      else this.#all.set(watcher, modes)
      return
    }
    this.#only = modes === 0 ? undefined : watcher
    this.#onlyModes = modes
  }

  /** Oldest first. */
  watchers(): Iterable<W> {
    if (this.#all !== undefined) return this.#all.keys()
    return this.#only === undefined ? [] : [this.#only]
  }

  #spread(): Map<W, number> {
    const all = new Map<W, number>()
    if (this.#only !== undefined) all.set(this.#only, this.#onlyModes)
    this.#only = undefined
    return all
  }
}
