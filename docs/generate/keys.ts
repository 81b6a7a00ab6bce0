import { type HonouredKey, honouredKeys } from '../../src/config/honoured-keys.ts'
import { keysWithoutEffect, reasons } from '../../src/config/keys-without-effect.ts'
import { refusedKeys } from '../../src/config/protection.ts'
import { rangeText } from '../../src/config/reader.ts'
import { table } from './table.ts'

/** Of docs/operations.md: what this version acts upon. */
export function honouredText(): string {
  const rows = Object.entries<HonouredKey>(honouredKeys).map(([name, key]) => [
    `\`${name}\``,
    key.scope,
    valuesOf(key),
    key.shownDefault ?? defaultOf(key),
    key.meaning,
  ])
  return table(['key', 'kind', 'values', 'default', 'meaning'], rows)
}

function valuesOf(key: HonouredKey): string {
  if (key.kind === 'boolean') return 'true, false'
  if (key.kind === 'yesNo') return 'yes, no'
  if (key.kind === 'text') return ''
  return rangeText(key).replace(/^ of /, '').replace(/^,? /, '') || 'a whole number'
}

function defaultOf({ kind, otherwise }: HonouredKey): string {
  if (kind === 'yesNo') return otherwise === true ? 'yes' : 'no'
  return String(otherwise)
}

/** Keys that keep a server from starting. */
export function refusedText(): string {
  const rows = refusedKeys.map(({ key, isSwitch, isOfEnsemble }) => [
    `\`${key}\``,
    isSwitch ? 'is on' : 'says something',
    isOfEnsemble ? 'in an ensemble' : 'always',
  ])
  return table(['key', 'refused if it', 'where'], rows)
}

/** Keys that are accepted, by what is said of them in the log. */
export function withoutEffectText(): string {
  const rows = Object.entries(reasons).map(([reason, text]) => [text, namesFor(reason)])
  return table(['what the log says', 'keys'], rows)
}

const isAlwaysRefused = (name: string): boolean =>
  refusedKeys.some(({ key, isOfEnsemble }) => key === name && !isOfEnsemble)

function namesFor(reason: string): string {
  return keysWithoutEffect
    .filter((key) => key.reason === reason && !isAlwaysRefused(key.name))
    .map(({ name, isChecked }) => (isChecked ? `*\`${name}\`*` : `\`${name}\``))
    .join(', ')
}
