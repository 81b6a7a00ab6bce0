import type { ConfigReader, Setting } from './reader.ts'
import { shown } from './source.ts'

/**
 * Keys by which somebody asks for protection. What is not honoured is refused: whoever has asked
 * must not get a server without, and at most a line of the log about it. That goes for every
 * spelling, since one that means nothing to the original was not written for nothing: in the file
 * or as a flag, with or without `zookeeper.`, whatever the case.
 */
interface Protection {
  readonly key: string
  /** A switch asks unless it is off; other keys ask as soon as they say something. */
  readonly isSwitch: boolean
  /** Between the members of an ensemble: a standalone server has nothing to protect there. */
  readonly isOfEnsemble: boolean
}

const NO_TLS = 'is not possible: this version has no TLS'
const NO_MEMBER_PROTECTION = 'is not possible: members cannot protect their connections yet'

/** These keep a server from starting. */
export const refusedKeys: readonly Protection[] = [
  { key: 'secureClientPort', isSwitch: false, isOfEnsemble: false },
  { key: 'secureClientPortAddress', isSwitch: false, isOfEnsemble: false },
  { key: 'client.portUnification', isSwitch: true, isOfEnsemble: false },
  { key: 'sslQuorum', isSwitch: true, isOfEnsemble: true },
  { key: 'portUnification', isSwitch: true, isOfEnsemble: true },
  { key: 'quorum.auth.enableSasl', isSwitch: true, isOfEnsemble: true },
  { key: 'quorum.auth.serverRequireSasl', isSwitch: true, isOfEnsemble: true },
  { key: 'quorum.auth.learnerRequireSasl', isSwitch: true, isOfEnsemble: true },
]
const impossible: ReadonlyMap<string, Protection> = byName(refusedKeys)

/** Honoured where they are written as they must be. */
const honoured: ReadonlyMap<string, Protection> = byName([
  { key: 'sessionRequireClientSASLAuth', isSwitch: true, isOfEnsemble: false },
  { key: 'enforce.auth.enabled', isSwitch: true, isOfEnsemble: false },
  { key: 'enforce.auth.schemes', isSwitch: false, isOfEnsemble: false },
])

/** What describes TLS. As flags they are shared with the tools of a client, which have TLS. */
const TLS_PREFIX = 'ssl.'
const QUORUM_TLS_PREFIX = 'ssl.quorum.'

const off: ReadonlySet<string> = new Set(['false', 'no', 'off', '0'])

/** Refuses what asks for protection and was not honoured; all other keys have been read before. */
export function refuseUnprotected(reader: ConfigReader, isEnsemble: boolean): void {
  const unread = new Set(reader.unread().map(({ key }) => key))
  for (const setting of reader.all()) {
    const name = nameOf(setting)
    const asked = impossible.get(name)
    if (asked !== undefined && asks(asked, setting) && (isEnsemble || !asked.isOfEnsemble))
      reader.refuse(setting, asked.isOfEnsemble ? NO_MEMBER_PROTECTION : NO_TLS)
    else if (describesTls(name, setting, isEnsemble)) reader.refuse(setting, NO_TLS)
    const misspelt = honoured.get(name)
    if (misspelt !== undefined && unread.has(setting.key) && asks(misspelt, setting))
      reader.refuse(setting, `must be written ${shown(misspelt.key)}: so it protects nothing`)
  }
}

function describesTls(name: string, { key, value }: Setting, isEnsemble: boolean): boolean {
  if (key.startsWith('-D') || !name.startsWith(TLS_PREFIX)) return false
  if (name.startsWith(QUORUM_TLS_PREFIX) && !isEnsemble) return false
  return value !== '' && !off.has(value.toLowerCase())
}

function asks({ isSwitch }: Protection, { key, value }: Setting): boolean {
  // A flag without a value was meant to be one.
  if (value === '') return isSwitch && key.startsWith('-D')
  return !isSwitch || !off.has(value.toLowerCase())
}

function nameOf({ key }: Setting): string {
  return key
    .replace(/^-D/, '')
    .toLowerCase()
    .replace(/^zookeeper\./, '')
}

function byName(protections: readonly Protection[]): ReadonlyMap<string, Protection> {
  return new Map(protections.map((protection) => [protection.key.toLowerCase(), protection]))
}
