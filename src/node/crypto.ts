import { createHash, getHashes, randomBytes } from 'node:crypto'
import type { Crypto } from '../base/crypto.ts'

/** Hashes and nonces from the machine's own library. */
export const nodeCrypto: Crypto = {
  hash(algorithm, bytes) {
    const name = algorithm.toLowerCase().replace('-', '')
    if (!getHashes().includes(name)) return undefined
    return createHash(name).update(bytes).digest()
  },
  randomBytes,
}
