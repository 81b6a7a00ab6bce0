import type { PeerAddress } from '../quorum/ports/links.ts'

/** What a `server.N` line says (spec 06 §5.2). */
export interface ServerLine {
  readonly role: 'participant' | 'observer'
  /** One of each per host, in the order of the line. Hosts are names or addresses without brackets. */
  readonly quorumAddresses: readonly PeerAddress[]
  readonly electionAddresses: readonly PeerAddress[]
  /** The part after `;`. */
  readonly clientPort: number | undefined
  /** Undefined: all addresses. */
  readonly clientAddress: string | undefined
  /** Of TLS, behind a second `;`. */
  readonly hasSecurePort: boolean
  /** The line as members show it to each other: everything said, nothing twice (spec 03 §2). */
  readonly text: string
}

const PORT_MAX = 65_535
const FORM = 'host:quorumPort:electionPort[:participant|:observer][;[address:]clientPort]'

/**
 * `host:quorumPort:electionPort[:role][;[address:]clientPort[;[address:]securePort]]`, with several
 * host parts separated by `|`. Anything else gives the problem as text.
 */
export function parseServerLine(text: string): ServerLine | string {
  const [server = '', client = '', secure = '', ...rest] = text.split(';')
  if (rest.length > 0) return `must have the form ${FORM}`
  let role: string | undefined
  const quorumAddresses: PeerAddress[] = []
  const electionAddresses: PeerAddress[] = []
  for (const address of server.split('|')) {
    const parts = splitAddress(address)
    if (parts === undefined || parts.length < 3 || parts.length > 4)
      return `must have the form ${FORM}`
    const [host = '', quorumPort = '', electionPort = '', ownRole = 'participant'] = parts
    if (host.trim() === '') return 'has no host'
    if (parsePort(quorumPort) === undefined || parsePort(electionPort) === undefined)
      return `must have two ports from 1 to ${PORT_MAX} after the host`
    if (Number(quorumPort) === Number(electionPort))
      return 'must have two different ports for quorum and election'
    const lower = ownRole.trim().toLowerCase()
    if (lower !== 'participant' && lower !== 'observer')
      return `has the role ${ownRole.trim()}, which is neither participant nor observer`
    if (role !== undefined && role !== lower) return 'has addresses with different roles'
    role = lower
    quorumAddresses.push({ host: host.trim(), port: Number(quorumPort) })
    electionAddresses.push({ host: host.trim(), port: Number(electionPort) })
  }
  const clientPart = parseClientPart(client)
  const securePart = parseClientPart(secure)
  if (clientPart === undefined || securePart === undefined)
    return `must have a port from 1 to ${PORT_MAX}, or address:port, after ';'`
  const knownRole = role === 'observer' ? 'observer' : 'participant'
  return {
    role: knownRole,
    quorumAddresses,
    electionAddresses,
    clientPort: clientPart.port,
    clientAddress: clientPart.address,
    hasSecurePort: securePart.port !== undefined,
    text: `${hostsText(quorumAddresses, electionAddresses)}:${knownRole}${clientText(clientPart, securePart)}`,
  }
}

interface ClientPart {
  /** Undefined: all addresses. */
  readonly address: string | undefined
  readonly port: number | undefined
  /** With brackets, ready to be shown; '' where there is no port. */
  readonly text: string
}

function parseClientPart(text: string): ClientPart | undefined {
  if (text.trim() === '') return { address: undefined, port: undefined, text: '' }
  const parts = splitAddress(text)
  if (parts === undefined || parts.length > 2) return undefined
  const port = parsePort(parts.at(-1) ?? '')
  if (port === undefined) return undefined
  const host = parts.length === 2 ? (parts[0] ?? '').trim() : ''
  const any = host === '' || host === '0.0.0.0' || host === '::'
  const shown = host === '' ? '0.0.0.0' : bracketed(host)
  return { address: any ? undefined : host, port, text: `${shown}:${port}` }
}

/** The original sorts the hosts, since it keeps them in a set. */
function hostsText(quorum: readonly PeerAddress[], election: readonly PeerAddress[]): string {
  const byHost = (a: PeerAddress, b: PeerAddress): number => (a.host < b.host ? -1 : 1)
  const elections = election.toSorted(byHost)
  return quorum
    .toSorted(byHost)
    .map(({ host, port }, index) => `${bracketed(host)}:${port}:${elections[index]?.port}`)
    .join('|')
}

function clientText(client: ClientPart, secure: ClientPart): string {
  if (secure.text !== '') return `;${client.text};${secure.text}`
  return client.text === '' ? '' : `;${client.text}`
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host)

/** Splits at colons, but not inside the brackets of an IPv6 address. */
function splitAddress(text: string): readonly string[] | undefined {
  const trimmed = text.trim()
  if (!trimmed.startsWith('[')) return trimmed.split(':')
  const close = trimmed.indexOf(']')
  if (close < 0) return undefined
  const rest = trimmed.slice(close + 1)
  if (!rest.startsWith(':')) return undefined
  return [trimmed.slice(1, close), ...rest.slice(1).split(':')]
}

function parsePort(text: string): number | undefined {
  if (!/^[0-9]{1,5}$/.test(text.trim())) return undefined
  const port = Number(text)
  return port >= 1 && port <= PORT_MAX ? port : undefined
}
