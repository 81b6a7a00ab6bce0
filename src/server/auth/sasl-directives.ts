/** White space separates directives as commas do, and several of them as one does: so the JDK. */
const separator = /[,\t\n\r ]*/y
const key = /([^=,\t\n\r ]+)[\t\n\r ]*=[\t\n\r ]*/y
const value = /"((?:[^"\\]|\\.)*)"|([^",\t\n\r ][^,\t\n\r ]*)?/sy
const end = /(?=[,\t\n\r ]|$)/y

const knownKeys: ReadonlySet<string> = new Set([
  'authzid',
  'charset',
  'cnonce',
  'digest-uri',
  'nc',
  'nonce',
  'qop',
  'realm',
  'response',
  'username',
])

/**
 * The directives of a digest-response (RFC 2831 §7.1): value by key in lower case, quotes and
 * escapes taken off, one byte in each character. Keys that we do not act upon are left out, as
 * anything may be added to the protocol. A text as the result says what is wrong.
 */
export function parseDirectives(bytes: Buffer): ReadonlyMap<string, string> | string {
  const text = bytes.toString('latin1')
  const found = new Map<string, string>()
  let at = 0
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const result = pattern.exec(text)
    if (result !== null) at = pattern.lastIndex
    return result
  }
  for (;;) {
    match(separator)
    if (at === text.length) return found
    const name = match(key)?.[1]?.toLowerCase()
    const content = name === undefined ? null : match(value)
    if (name === undefined || content === null || match(end) === null)
      return `no directive at byte ${at} of the response`
    if (!knownKeys.has(name)) continue
    if (found.has(name)) return `more than one ${name} in the response`
    found.set(name, content[1]?.replace(/\\(.)/gs, '$1') ?? content[2] ?? '')
  }
}
