import { JuteReader, JuteWriter } from 'jute-ts'
import { writeInitialMessage } from '../../data/records.ts'
import type { PeerAddress } from '../ports/links.ts'

/** The first thing on an election connection, from the side that has opened it (spec 03 §1). */
export interface Opening {
  /** 'anonymous': an observer that has no id. */
  readonly sid: number | 'anonymous'
  /** Where the sender can be reached, as it says; none from 3.4. */
  readonly addresses: readonly PeerAddress[]
  /** Of the message; notifications follow. */
  readonly bytes: number
}

const ONE_ADDRESS = -65536n
const SEVERAL_ADDRESSES = -65535n
/**
 * The text of addresses in the first message on an election port; as much as the original takes.
 * @bound bytes: the connection is closed
 */
const ADDRESS_BYTES_MAX = 2048
const LONG_BYTES = 8
const HEADER_BYTES = 20
const ANONYMOUS: bigint = 2n ** 63n - 1n
const PORT_MAX = 65_535

/** Several addresses make it the message of 3.6 with multiAddress.enabled, which older ones refuse. */
export function encodeOpening(sid: number, addresses: readonly PeerAddress[]): Buffer {
  const writer = new JuteWriter()
  writeInitialMessage(writer, {
    protocolVersion: addresses.length > 1 ? SEVERAL_ADDRESSES : ONE_ADDRESS,
    sid: BigInt(sid),
    address: Buffer.from(addresses.map(addressText).join('|')),
  })
  return writer.copy()
}

/** Undefined: more bytes are needed. A text says why they cannot be what they should. */
export function decodeOpening(bytes: Buffer): Opening | string | undefined {
  if (bytes.length < LONG_BYTES) return undefined
  const reader = new JuteReader(bytes)
  const first = reader.readLong()
  if (first >= 0n) return openingOf(first, [], LONG_BYTES)
  if (first !== ONE_ADDRESS && first !== SEVERAL_ADDRESSES) return 'unknown protocol version'
  if (bytes.length < HEADER_BYTES) return undefined
  const sid = reader.readLong()
  const length = reader.readInt()
  if (length < 1 || length > ADDRESS_BYTES_MAX) return 'invalid length of the address'
  const end = HEADER_BYTES + length
  if (bytes.length < end) return undefined
  const texts = bytes.toString('utf8', HEADER_BYTES, end).split('|')
  const addresses = texts.map(addressOf)
  const known = addresses.filter((address) => address !== undefined)
  if (known.length < addresses.length) return 'invalid address'
  return openingOf(sid, known.filter(isReachable), end)
}

function openingOf(
  sid: bigint,
  addresses: readonly PeerAddress[],
  bytes: number,
): Opening | string {
  if (sid === ANONYMOUS) return { sid: 'anonymous', addresses, bytes }
  if (sid < 0n || sid > BigInt(Number.MAX_SAFE_INTEGER)) return 'no such sid'
  return { sid: Number(sid), addresses, bytes }
}

const addressText = ({ host, port }: PeerAddress): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

function addressOf(text: string): PeerAddress | undefined {
  const parts = /^(?:\[([^\]]+)\]|([^:]+)):([0-9]{1,5})$/.exec(text)
  const host = parts?.[1] ?? parts?.[2]
  const port = Number(parts?.[3])
  return host !== undefined && port > 0 && port <= PORT_MAX ? { host, port } : undefined
}

/** A member that listens on all addresses may be configured with none in particular. */
const isReachable = ({ host }: PeerAddress): boolean => !/^(0\.0\.0\.0|[0:]+)$/.test(host)
