import { EventType, WatcherType } from '../data/watch-event.ts'
import { ModeTable, WatchMode } from './mode-table.ts'

/** Called once per watcher and event, in the order in which a client must see them. */
type EmitEvent<W> = (watcher: W, type: EventType, path: string) => void

/**
 * Who waits for what (spec 05 §6), with the modes of 3.9: a standard, a persistent and a recursive
 * watch of one watcher may stand on one path side by side (ZOOKEEPER-4466). A watcher is known by
 * identity. `emit` may call back into the table (a client that cannot take its event is dropped):
 * who is to be told is settled before the first call.
 */
export class WatchTable<W extends object> {
  /** exists and getData; a recursive watch stands here only, a persistent one in both. */
  readonly #data = new ModeTable<W>()
  /** getChildren. */
  readonly #child = new ModeTable<W>()

  /** One-shot, by exists (the node may be missing) or getData. */
  addData(path: string, watcher: W): void {
    this.#data.add(path, watcher, WatchMode.Standard)
  }

  /** One-shot, by getChildren. */
  addChild(path: string, watcher: W): void {
    this.#child.add(path, watcher, WatchMode.Standard)
  }

  /** addWatch mode 0: every event of the path and of its children list; stays. */
  addPersistent(path: string, watcher: W): void {
    this.#data.add(path, watcher, WatchMode.Persistent)
    this.#child.add(path, watcher, WatchMode.Persistent)
  }

  /** addWatch mode 1: created, deleted and changed, for the path and all below it; stays. */
  addRecursive(path: string, watcher: W): void {
    this.#data.add(path, watcher, WatchMode.Recursive)
  }

  /** `parent` is `/` for a child of the root. */
  triggerCreated(path: string, parent: string, emit: EmitEvent<W>): void {
    notify(this.#data.take(path), EventType.NodeCreated, path, emit)
    notify(this.#child.take(parent), EventType.NodeChildrenChanged, parent, emit)
  }

  /** A child watch on the deleted node is used up, but its owner is not told the same twice. */
  triggerDeleted(path: string, parent: string, emit: EmitEvent<W>): void {
    const told = this.#data.take(path)
    const others = this.#child.take(path)
    const ofParent = this.#child.take(parent)
    notify(told, EventType.NodeDeleted, path, emit)
    if (told !== undefined && others !== undefined) {
      for (const watcher of told) others.delete(watcher)
    }
    notify(others, EventType.NodeDeleted, path, emit)
    notify(ofParent, EventType.NodeChildrenChanged, parent, emit)
  }

  triggerDataChanged(path: string, emit: EmitEvent<W>): void {
    notify(this.#data.take(path), EventType.NodeDataChanged, path, emit)
  }

  /** removeWatches. False: there was nothing of that type to remove, which is answered -121. */
  remove(path: string, type: WatcherType, watcher: W): boolean {
    const data = this.#data.remove(path, watcher, dataModes[type])
    const child = this.#child.remove(path, watcher, childModes[type])
    return data || child
  }

  /** checkWatches. False is answered -121. */
  contains(path: string, type: WatcherType, watcher: W): boolean {
    return (
      (this.#data.modesOf(path, watcher) & dataModes[type]) !== 0 ||
      (this.#child.modesOf(path, watcher) & childModes[type]) !== 0
    )
  }

  /**
   * Its connection is gone: it gets no event and counts no more, and sets no watch again. There may
   * be a million of its watches, so `sweep` removes them bit by bit.
   */
  removeWatcher(watcher: W): void {
    this.#data.removeWatcher(watcher)
    this.#child.removeWatcher(watcher)
  }

  /** Clears away up to so many watches of watchers that are gone. */
  sweep(watchesMax: number): void {
    const swept = this.#data.sweep(watchesMax)
    if (swept < watchesMax) this.#child.sweep(watchesMax - swept)
  }

  /** There is something to sweep. */
  get hasGone(): boolean {
    return this.#data.hasGone || this.#child.hasGone
  }

  /** Pairs of a watcher and a path, both tables added up: zk_watch_count of mntr. */
  get watchCount(): number {
    return this.#data.watchCount + this.#child.watchCount
  }

  /** The figures of wchs, which like wchc and wchp shows the data table only (spec 05 §12). */
  get dataWatchCount(): number {
    return this.#data.watchCount
  }

  get dataPathCount(): number {
    return this.#data.pathCount
  }

  get dataWatcherCount(): number {
    return this.#data.watcherCount
  }

  /** For wchp. Some paths may have nobody. Do not change the table while iterating. */
  dataWatchersByPath(): IterableIterator<readonly [path: string, watchers: Iterable<W>]> {
    return this.#data.byPath()
  }

  /** For wchc. Do not change the table while iterating. */
  dataPathsByWatcher(): IterableIterator<readonly [watcher: W, paths: Iterable<string>]> {
    return this.#data.byWatcher()
  }
}

const ANY_MODE = WatchMode.Standard | WatchMode.Persistent | WatchMode.Recursive

/** Which modes in the data table a WatcherType stands for. */
const dataModes: Readonly<Record<WatcherType, number>> = {
  [WatcherType.Children]: 0,
  [WatcherType.Data]: WatchMode.Standard,
  [WatcherType.Any]: ANY_MODE,
  [WatcherType.Persistent]: WatchMode.Persistent,
  [WatcherType.PersistentRecursive]: WatchMode.Recursive,
}

const childModes: Readonly<Record<WatcherType, number>> = {
  [WatcherType.Children]: WatchMode.Standard,
  [WatcherType.Data]: 0,
  [WatcherType.Any]: ANY_MODE,
  [WatcherType.Persistent]: WatchMode.Persistent,
  [WatcherType.PersistentRecursive]: 0,
}

function notify<W>(
  watchers: Set<W> | undefined,
  type: EventType,
  path: string,
  emit: EmitEvent<W>,
): void {
  if (watchers === undefined) return
  for (const watcher of watchers) emit(watcher, type, path)
}
