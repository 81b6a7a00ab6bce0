import type { ServerView, WatcherView } from './server-view.ts'
import { hexOfLong, type TextWriter } from './text-writer.ts'

export function writeWatchSummary(view: ServerView, out: TextWriter): void {
  const { watcherCount, pathCount, watchCount } = view.dataWatches
  out.line(`${watcherCount} connections watching ${pathCount} paths`)
  out.line(`Total watches:${watchCount}`)
}

/** The watches of a client that has gone are passed over, which takes time, too: such a piece is empty. */
const NOTHING_YET = ''

/**
 * The watches change while this is written. A watch that fires and is set again comes to the end of
 * the table: as many are written as there were at the beginning, or it might never end.
 */
export function* watchesByPath({ dataWatches }: ServerView): Iterable<string> {
  let left = dataWatches.pathCount
  for (const [path, watchers] of dataWatches.byPath()) {
    if (left === 0) break
    let isWatched = false
    for (const watcher of watchers) {
      if (!isWatched) yield `${path}\n`
      isWatched = true
      yield `\t${watcherName(watcher)}\n`
    }
    if (isWatched) left -= 1
    else yield NOTHING_YET
  }
  yield '\n'
}

export function* watchesByWatcher({ dataWatches }: ServerView): Iterable<string> {
  let left = dataWatches.watcherCount
  for (const [watcher, paths] of dataWatches.byWatcher()) {
    if (left === 0) break
    left -= 1
    yield `${watcherName(watcher)}\n`
    for (const path of paths) yield `\t${path}\n`
  }
  yield '\n'
}

function watcherName(watcher: WatcherView): string {
  return `0x${hexOfLong(watcher.sessionId)}`
}
