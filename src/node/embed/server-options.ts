import type { Logger } from '../../base/logger.ts'

/** How a server inside another program is to be. */
export interface ServerOptions {
  /** Where logs and snapshots are kept; by default in a folder of its own, which goes with the server. */
  readonly dataDir?: string
  /** 0 or nothing: the system chooses a free one. */
  readonly clientPort?: number
  /** By default the loopback address: unlike the server of the command line, it is nobody else's. */
  readonly clientPortAddress?: string
  /** Further keys of zoo.cfg, by their names there. docs/operations.md has them all. */
  readonly config?: Readonly<Record<string, string | number | boolean>>
  /** Where log lines go; by default nowhere. */
  readonly logger?: Logger
  /**
   * Called once when the log cannot be written any more: nothing is acknowledged from then on, and the
   * server has closed. By default the error is thrown where nobody catches it, which ends the process.
   */
  readonly onFatal?: (error: Error) => void
}

/** As ServerOptions; `dataDir` holds a folder for each member. */
export type EnsembleOptions = Omit<ServerOptions, 'clientPort'>
