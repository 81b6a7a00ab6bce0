import type { ServerView, WatcherView } from './server-view.ts'
import { hexOfLong, type TextWriter } from './text-writer.ts'

export function writeWatchSummary(view: ServerView, out: TextWriter): void {
  const { watcherCount, pathCount, watchCount } = view.dataWatches
  out.line(`${watcherCount} connections watching ${pathCount} paths`)
  out.line(`Total watches:${watchCount}`)
}

export function writeWatchesByPath(view: ServerView, out: TextWriter): void {
  for (const [path, watchers] of view.dataWatches.byPath()) {
    out.line(path)
    for (const watcher of watchers) out.line(`\t${watcherName(watcher)}`)
  }
  out.line('')
}

export function writeWatchesByWatcher(view: ServerView, out: TextWriter): void {
  for (const [watcher, paths] of view.dataWatches.byWatcher()) {
    out.line(watcherName(watcher))
    for (const path of paths) out.line(`\t${path}`)
  }
  out.line('')
}

function watcherName(watcher: WatcherView): string {
  return `0x${hexOfLong(watcher.sessionId)}`
}
