import { createHash, getHashes, randomBytes } from 'node:crypto'
import type { Crypto } from '../../base/crypto.ts'

/** As `zoo.cfg` and Java spell them: SHA1, SHA-256, SHA-512/256, SHA3-256. */
const names: ReadonlyMap<string, string> = new Map(
  getHashes().map((name) => [normal(name), name] as const),
)

function normal(name: string): string {
  return name.toLowerCase().replace(/[-/]/g, '')
}

/** Hashes and nonces from the machine's own library. */
export const nodeCrypto: Crypto = {
  hash(algorithm, bytes) {
    const name = names.get(normal(algorithm))
    return name === undefined ? undefined : createHash(name).update(bytes).digest()
  },
  randomBytes,
}
