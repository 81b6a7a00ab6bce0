import type { Id } from '../../data/records.ts'
import type { AuthProvider } from './provider.ts'

export const IP_SCHEME = 'ip'

const V4_BYTES = 4
const V6_BYTES = 16

/**
 * Where a connection comes from. Every connection has such an id from the start, so the auth packet
 * adds nothing. ACL ids are `address` or `address/bits`; IPv6 as since 3.9.4.
 */
export class IpProvider implements AuthProvider {
  readonly scheme: string = IP_SCHEME
  readonly isAuthenticated = false

  authenticate(_data: Buffer | null, address: string): readonly Id[] {
    return [ipIdOf(address)]
  }

  isValid(aclId: string): boolean {
    return parseRange(aclId) !== undefined
  }

  matches(id: string, aclId: string): boolean {
    const range = parseRange(aclId)
    const address = parseAddress(id)
    return range !== undefined && address !== undefined && isWithin(address, range)
  }
}

/**
 * The id of a connection, of the address as Node tells it. An IPv4 client of a socket that listens
 * on both families comes as `::ffff:1.2.3.4`; its id is the plain IPv4 address, so that the same
 * ACLs match as on the original. The zone of a link-local address is left out. IPv6 is written
 * as Java writes it, all eight groups without leading zeros.
 */
export function ipIdOf(remoteAddress: string): Id {
  const zone = remoteAddress.indexOf('%')
  const address = zone < 0 ? remoteAddress : remoteAddress.slice(0, zone)
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return { scheme: IP_SCHEME, id: mapped }
  const bytes = parseAddress(address)
  if (bytes?.length !== V6_BYTES) return { scheme: IP_SCHEME, id: address }
  const groups: string[] = []
  for (let at = 0; at < V6_BYTES; at += 2) groups.push(bytes.readUInt16BE(at).toString(16))
  return { scheme: IP_SCHEME, id: groups.join(':') }
}

interface IpRange {
  readonly address: Buffer
  /** How many of its leading bits count. */
  readonly bits: number
}

function parseRange(text: string): IpRange | undefined {
  const slash = text.indexOf('/')
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash))
  if (address === undefined) return undefined
  const bitsMax = address.length * 8
  if (slash < 0) return { address, bits: bitsMax }
  const bits = parseDecimal(text.slice(slash + 1), bitsMax)
  return bits === undefined ? undefined : { address, bits }
}

/** Four or sixteen bytes. */
function parseAddress(text: string): Buffer | undefined {
  return text.includes(':') ? parseV6(text) : parseV4(text)
}

function parseV4(text: string): Buffer | undefined {
  const parts = text.split('.')
  if (parts.length !== V4_BYTES) return undefined
  const address = Buffer.alloc(V4_BYTES)
  for (const [at, part] of parts.entries()) {
    const value = parseDecimal(part, 255)
    if (value === undefined) return undefined
    address[at] = value
  }
  return address
}

/** Groups of hex digits, at most one `::` for one or more zero groups; no dotted tail. */
function parseV6(text: string): Buffer | undefined {
  const halves = text.split('::')
  const groupsOf = (half: string | undefined): string[] =>
    half === undefined || half === '' ? [] : half.split(':')
  const head = groupsOf(halves[0])
  const tail = groupsOf(halves[1])
  const groups = head.length + tail.length
  if (halves.length > 2 || (halves.length === 2 ? groups > 7 : groups !== 8)) return undefined
  const address = Buffer.alloc(V6_BYTES)
  const fits =
    writeGroups(head, address, 0) && writeGroups(tail, address, V6_BYTES - tail.length * 2)
  return fits ? address : undefined
}

function writeGroups(groups: readonly string[], address: Buffer, from: number): boolean {
  for (const [index, group] of groups.entries()) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return false
    address.writeUInt16BE(Number.parseInt(group, 16), from + index * 2)
  }
  return true
}

/** Leading zeros and a plus sign are allowed, as by the Integer.parseInt of the original. */
function parseDecimal(text: string, max: number): number | undefined {
  if (!/^\+?\d+$/.test(text)) return undefined
  const value = Number(text)
  return value <= max ? value : undefined
}

function isWithin(address: Buffer, range: IpRange): boolean {
  if (address.length !== range.address.length) return false
  const wholeBytes = range.bits >> 3
  if (address.compare(range.address, 0, wholeBytes, 0, wholeBytes) !== 0) return false
  const restBits = range.bits & 7
  if (restBits === 0) return true
  const difference = address.readUInt8(wholeBytes) ^ range.address.readUInt8(wholeBytes)
  return difference >> (8 - restBits) === 0
}
