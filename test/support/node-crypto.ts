import { createHash, getHashes, randomBytes } from 'node:crypto'
import type { Crypto } from '../../src/base/crypto.ts'

const hashes: ReadonlySet<string> = new Set(getHashes())

export const nodeCrypto: Crypto = {
  hash(algorithm, bytes) {
    return hashes.has(algorithm) ? createHash(algorithm).update(bytes).digest() : undefined
  },
  randomBytes,
}

/** Gives out the same "random" bytes each time: a recorded nonce. */
export function cryptoWithNonce(nonce: string): Crypto {
  return { hash: nodeCrypto.hash, randomBytes: () => Buffer.from(nonce, 'base64') }
}
