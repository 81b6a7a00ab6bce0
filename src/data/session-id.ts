/** All 64 bits are in use, so a bigint; looked up once per connection, not per request. */
export type SessionId = bigint

/** Mixed into the seed of every password, in every ZooKeeper server (spec 01 §3). */
const PASSWORD_SECRET = 0xb3415c00n
const PASSWORD_BYTES = 16

const RANDOM_MULTIPLIER = 0x5deece66dn
const RANDOM_INCREMENT = 0xbn
const RANDOM_MASK = (1n << 48n) - 1n

/** The password of a session: any member can derive it, so a client may reattach to any (spec 01 §3). */
export function sessionPassword(id: SessionId): Buffer {
  const password = Buffer.alloc(PASSWORD_BYTES)
  let seed = (id ^ PASSWORD_SECRET ^ RANDOM_MULTIPLIER) & RANDOM_MASK
  for (let at = 0; at < PASSWORD_BYTES; at += 4) {
    seed = (seed * RANDOM_MULTIPLIER + RANDOM_INCREMENT) & RANDOM_MASK
    password.writeUInt32LE(Number((seed >> 16n) & 0xffffffffn), at)
  }
  return password
}

/**
 * The first session id a member gives out: its server id in the top byte, below it the low 40 bits
 * of a clock in ms, then a counter from 0 (spec 05 §8).
 */
export function firstSessionId(serverId: number, clockMs: number): SessionId {
  const clock = (BigInt(Math.floor(clockMs)) << 24n) & 0xffffffffffffffffn
  return BigInt.asIntN(64, (clock >> 8n) | (BigInt(serverId & 0xff) << 56n))
}

export const formatSessionId = (id: SessionId): string => `0x${BigInt.asUintN(64, id).toString(16)}`
