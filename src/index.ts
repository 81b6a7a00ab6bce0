import { Ensemble } from './node/embed/ensemble.ts'
import { Server } from './node/embed/server.ts'
import type { EnsembleOptions, ServerOptions } from './node/embed/server-options.ts'

export type { LogFields, Logger } from './base/logger.ts'
export type { Ensemble, EnsembleOptions, Server, ServerOptions }

/**
 * Starts a server in this process, ready for clients when the promise resolves. Rejects with an error
 * whose message says what is wrong and what to do about it.
 */
export function startServer(options: ServerOptions = {}): Promise<Server> {
  return Server.start(options)
}

/** Starts `size` members of one ensemble in this process; all serve when the promise resolves. */
export function startEnsemble(size: number, options: EnsembleOptions = {}): Promise<Ensemble> {
  return Ensemble.start(size, options)
}
