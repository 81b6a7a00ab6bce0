import { InvariantError } from '../base/assert.ts'
import { messageOf } from '../base/message-of.ts'

/** Why something could not be read from the disk. */
export interface ReadProblem {
  readonly kind: 'unreadable'
  readonly problem: string
}

/**
 * What `read` returns, which a DiskReader may throw out of: a file that has vanished, a sector that
 * cannot be read. For where that is no reason to end the process.
 */
export function readOrProblem<T>(read: () => T): T | ReadProblem {
  try {
    return read()
  } catch (error) {
    if (error instanceof InvariantError) throw error
    return { kind: 'unreadable', problem: messageOf(error) }
  }
}
