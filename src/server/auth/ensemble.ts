import type { Id } from '../../data/records.ts'
import type { AuthProvider } from './provider.ts'

export const ENSEMBLE_SCHEME = 'ensemble'

/**
 * A client says which ensemble it means. If that is another one its connection is closed without an
 * answer: it would give up upon an error, and so it tries another server. It gets no id, and is in
 * no ACL.
 */
export class EnsembleProvider implements AuthProvider {
  readonly scheme: string = ENSEMBLE_SCHEME
  readonly isAuthenticated = false
  /** Undefined: any name will do. */
  readonly #names: ReadonlySet<string> | undefined

  constructor(names: ReadonlySet<string> | undefined) {
    this.#names = names
  }

  authenticate(data: Buffer | null): readonly Id[] | 'hang up' {
    if (data === null || data.length === 0 || this.#names === undefined) return []
    return this.#names.has(data.toString()) ? [] : 'hang up'
  }

  isValid(): boolean {
    return false
  }

  matches(): boolean {
    return false
  }
}
