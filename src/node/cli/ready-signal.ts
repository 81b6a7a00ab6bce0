import { closeSync, writeSync } from 'node:fs'
import { type Environment, isSet } from '../process/environment.ts'

/**
 * How a server tells the `start` command that waits for it: one line on a pipe that both inherited.
 * The pipe ends with the process, so a server that ends without writing to it is noticed as well.
 */
export interface ReadySignal {
  /** Whether a `start` command waits. */
  readonly isWaitedFor: boolean
  ready(): void
  failed(reason: string): void
}

export const READY = 'READY'
export const FAILED = 'FAILED '

export function openReadySignal(env: Environment): ReadySignal {
  const fd = isSet(env.ZK_SERVER_READY_FD) ? Number(env.ZK_SERVER_READY_FD) : undefined
  let isOpen = fd !== undefined && Number.isInteger(fd) && fd > 2
  const say = (line: string): void => {
    if (!isOpen || fd === undefined) return
    isOpen = false
    try {
      writeSync(fd, `${line}\n`)
      closeSync(fd)
    } catch {
      // Whoever waited has gone; the server runs all the same.
    }
  }
  return {
    isWaitedFor: isOpen,
    ready: () => say(READY),
    failed: (reason) => say(FAILED + reason.replaceAll('\n', ' ')),
  }
}
