import { statfs } from 'node:fs'

/** What an ordinary user may still write to the file system of `path`. Undefined: it does not tell. */
export function freeBytesOf(path: string, done: (bytes: number | undefined) => void): void {
  statfs(path, (error, stats) => done(error === null ? stats.bavail * stats.bsize : undefined))
}
