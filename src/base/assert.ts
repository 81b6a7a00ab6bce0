/** A broken invariant: a fault of ours, never of a client. The process stops on it. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

/** Stops the process on a broken invariant. Stays on in production. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message)
}

/** For the `default` of a switch that must be exhaustive. */
export function unreachable(value: never): never {
  throw new InvariantError(`unreachable: ${String(value)}`)
}
