import type { Id } from '../../data/records.ts'
import { type IpAddress, IpRanges, isWithin, parseAddress, parseRange } from './ip-range.ts'
import type { AuthProvider, PreparedIds } from './provider.ts'

export const IP_SCHEME = 'ip'

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

  prepare(aclIds: readonly string[]): PreparedIds {
    const ranges = new IpRanges(aclIds)
    return {
      matcherOf: (id) => {
        const address = parseAddress(id)
        return (index) => address !== undefined && ranges.contains(index, address)
      },
    }
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
  const parsed = parseAddress(address)
  if (parsed?.isV6 !== true) return { scheme: IP_SCHEME, id: address }
  return { scheme: IP_SCHEME, id: groupsOf(parsed).join(':') }
}

/** As hex, without leading zeros. */
function groupsOf({ words }: IpAddress): readonly string[] {
  return words.flatMap((word) => [(word >>> 16).toString(16), (word & 0xffff).toString(16)])
}
