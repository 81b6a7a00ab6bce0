import type { Id } from '../../data/records.ts'
import { DIGEST_SCHEME, digestUser } from './digest.ts'

/** An id as whoAmI shows it: for digest only the user, as the rest is the hash of the password. */
interface ShownId {
  readonly authScheme: string
  readonly user: string
}

export function clientInfoOf(id: Id): ShownId {
  return { authScheme: id.scheme, user: id.scheme === DIGEST_SCHEME ? digestUser(id.id) : id.id }
}
