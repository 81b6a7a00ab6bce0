import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { makeDirectory } from '../files/make-directory.ts'
import { parentOf } from './server-paths.ts'

/** The process id in a pid file; undefined if there is no such file, or nothing sensible in it. */
export function readPid(file: string): number | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim()
    return /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : undefined
  } catch {
    return undefined
  }
}

/** Without a line end, as zkServer.sh writes it. Throws if the file cannot be written. */
export function writePid(file: string, pid: number): void {
  makeDirectory(parentOf(file))
  writeFileSync(file, String(pid))
}

/** Removes the file unless it names another process by now. */
export function removePid(file: string, pid: number | undefined): void {
  if (readPid(file) === pid) rmSync(file, { force: true })
}

/**
 * Whether `pid` is a running server. A pid file outlives a crash of the machine, after which its
 * number may belong to anybody: where /proc tells what a process is, only a server counts, be it
 * ours or the original. There a process that has ended, and that its parent has not waited for, has
 * no command line.
 */
export function isServerAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it runs, and belongs to another user.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false
  }
  try {
    return /zk-server|zookeeper/i.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
  } catch {
    return process.platform !== 'linux'
  }
}
