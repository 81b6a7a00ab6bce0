/** Port: hashes and secrets belong to the machine. The simulator hands in seeded ones. */
export interface Crypto {
  /** `algorithm` by its usual name: md5, sha1, sha256, ... Undefined: the machine has none. */
  hash(algorithm: string, bytes: Buffer): Buffer | undefined
  /** Unguessable bytes, for nonces. */
  randomBytes(count: number): Buffer
}
