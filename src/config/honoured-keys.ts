import type { Config } from './config.ts'
import { authKeys } from './table-of-auth.ts'
import { ensembleKeys } from './table-of-ensemble.ts'
import { serverKeys } from './table-of-server.ts'

/**
 * Where the original looks for a setting, which decides who wins (spec 06 §5):
 * - file: a key that QuorumPeerConfig knows; a flag of that name means nothing.
 * - property: any other key of the file *sets* the system property `zookeeper.<key>`, so the file
 *   wins over `-Dzookeeper.<key>`.
 * - bare: a system property without the prefix. The original cannot set it in the file; we let it,
 *   and the flag wins.
 */
export type Scope = 'file' | 'property' | 'bare'

/** A row of the table: a key of zoo.cfg that this version acts upon. */
export interface HonouredKey {
  readonly kind: 'integer' | 'boolean' | 'yesNo' | 'text'
  readonly scope: Scope
  /** What holds when it is not set, as the parser has it; of a text, in words. */
  readonly otherwise?: number | boolean | string | undefined
  /** The same in words, where the value alone does not say it. */
  readonly shownDefault?: string
  /** Of a whole number; ends included. */
  readonly min?: number
  readonly max?: number
  readonly unit?: string
  /** What of the configuration it decides; nothing: the value is only checked. */
  readonly sets: readonly (keyof Config)[]
  /** For people: docs/operations.md has it. */
  readonly meaning: string
}

/**
 * The keys that are acted upon, in the order of docs/operations.md, whose table is made from this one.
 * Read them by their name with ConfigReader, which takes scope, default and range from here. `N` stands
 * for a number and `X` for any text; such families are read by their prefix.
 */
export const honouredKeys: Keys = { ...serverKeys, ...authKeys, ...ensembleKeys }

type Keys = typeof serverKeys & typeof authKeys & typeof ensembleKeys
type NamesOf<Kind> = {
  [Name in keyof Keys]: Keys[Name]['kind'] extends Kind ? Name : never
}[keyof Keys]

export type KeyName = keyof Keys
export type NumberName = NamesOf<'integer'>
export type SwitchName = NamesOf<'boolean' | 'yesNo'>
