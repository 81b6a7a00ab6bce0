/** The `flags` of a create request (spec 01 §4). */
export const CreateMode = {
  persistent: 0,
  ephemeral: 1,
  persistentSequential: 2,
  ephemeralSequential: 3,
  container: 4,
  persistentWithTtl: 5,
  persistentSequentialWithTtl: 6,
} as const
export type CreateMode = (typeof CreateMode)[keyof typeof CreateMode]

const FLAGS_MAX = CreateMode.persistentSequentialWithTtl

export const isCreateFlags = (flags: number): boolean => flags >= 0 && flags <= FLAGS_MAX
export const isEphemeral = (flags: number): boolean => flags === 1 || flags === 3
export const isSequential = (flags: number): boolean => flags === 2 || flags === 3 || flags === 6
export const isTtl = (flags: number): boolean => flags === 5 || flags === 6

/** 0xFF in the top byte, feature 0, then 40 bits of milliseconds (spec 02 §6). */
const TTL_MARK = 0xff000000_00000000n
export const TTL_MS_MAX = 0xff_ffff_ffffn

/** `ephemeralOwner` of a container, whatever the settings (spec 02 §6), as a signed long. */
export const CONTAINER_OWNER: bigint = BigInt.asIntN(64, 1n << 63n)

/** `ephemeralOwner` of a TTL node. `ttlMs` in 1..TTL_MS_MAX. */
export const ttlOwner = (ttlMs: bigint): bigint => BigInt.asIntN(64, TTL_MARK | ttlMs)

/** 3.5.3 wrote TTL nodes with 0x80 in the top byte and the rest as the TTL (spec 02 §6). */
const TTL_MARK_353 = 0x80n

type OwnerKind = 'persistent' | 'ephemeral' | 'container' | 'ttl'

/** How `ephemeralOwner` is to be read depends on two settings (spec 02 §6). */
export interface OwnerRules {
  readonly extendedTypesEnabled: boolean
  readonly emulate353TtlNodes: boolean
}

export function ownerKind(owner: bigint, rules: OwnerRules): OwnerKind {
  if (owner === 0n) return 'persistent'
  if (owner > 0n && owner >> 62n === 0n) return 'ephemeral'
  if (owner === CONTAINER_OWNER) return 'container'
  const top = BigInt.asUintN(64, owner) >> 56n
  if (rules.extendedTypesEnabled && top === 0xffn) return 'ttl'
  if (rules.emulate353TtlNodes && top === TTL_MARK_353) return 'ttl'
  return 'ephemeral'
}

/** The TTL in ms of an owner whose kind is 'ttl'. */
export function ttlMsOf(owner: bigint, rules: OwnerRules): number {
  const unsigned = BigInt.asUintN(64, owner)
  if (rules.emulate353TtlNodes && unsigned >> 56n === TTL_MARK_353)
    return Number(unsigned & 0x00ffffff_ffffffffn)
  return Number(unsigned & 0xff_ffff_ffffn)
}
