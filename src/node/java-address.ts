import { isIPv6 } from 'node:net'

const MAPPED = '::ffff:'
const GROUPS = 8

/**
 * An address as Java prints it, which is what ACLs of scheme ip, the logs and `cons` hold: IPv4 also
 * where it comes mapped into IPv6, and IPv6 with all eight groups written out.
 */
export function javaAddress(address: string): string {
  if (address.toLowerCase().startsWith(MAPPED) && address.includes('.'))
    return address.slice(MAPPED.length)
  const [plain = '', scope] = address.split('%')
  if (!isIPv6(plain)) return address
  const [head = '', tail] = plain.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : GROUPS - left.length - right.length
  const groups = [...left, ...new Array<string>(zeros).fill('0'), ...right]
  const text = groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')
  return scope === undefined ? text : `${text}%${scope}`
}
