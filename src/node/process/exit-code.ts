/** How a server process ends: the codes of the original, as far as they can occur here. */
export const ExitCode = {
  finished: 0,
  unexpected: 1,
  /** A configuration, a flag or an argument is wrong. */
  invalidInvocation: 2,
  /** The data directory is missing, not writable, or in use. */
  dataDir: 3,
  /** A port of the ensemble is taken. */
  cannotBindQuorumPort: 14,
} as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

/** The server cannot start, and `message` is one line that says why and what to do about it. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly exitCode: ExitCode

  constructor(message: string, exitCode: ExitCode) {
    super(message)
    this.exitCode = exitCode
  }
}
