/** What a `server.N` line says, as far as a configuration must know it (spec 06 §5.2). */
export interface ServerLine {
  readonly role: 'participant' | 'observer'
  /** The part after `;`. */
  readonly clientPort: number | undefined
  /** Undefined: all addresses. */
  readonly clientAddress: string | undefined
}

export const PORT_MAX = 65_535
const FORM = 'host:quorumPort:electionPort[:participant|:observer][;[address:]clientPort]'

/**
 * `host:quorumPort:electionPort[:role][;[address:]clientPort[;[address:]securePort]]`, with several
 * host parts separated by `|`. Anything else gives the problem as text.
 */
export function parseServerLine(text: string): ServerLine | string {
  const [server = '', client = '', secure = '', ...rest] = text.split(';')
  if (rest.length > 0) return `must have the form ${FORM}`
  let role: string | undefined
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
  }
  const clientPart = parseClientPart(client)
  if (clientPart === undefined || parseClientPart(secure) === undefined)
    return `must have a port from 1 to ${PORT_MAX}, or address:port, after ';'`
  return {
    role: role === 'observer' ? 'observer' : 'participant',
    clientPort: clientPart.port,
    clientAddress: clientPart.address,
  }
}

interface ClientPart {
  readonly address: string | undefined
  readonly port: number | undefined
}

function parseClientPart(text: string): ClientPart | undefined {
  if (text.trim() === '') return { address: undefined, port: undefined }
  const parts = splitAddress(text)
  if (parts === undefined || parts.length > 2) return undefined
  const port = parsePort(parts.at(-1) ?? '')
  if (port === undefined) return undefined
  const host = parts.length === 2 ? (parts[0] ?? '').trim() : ''
  const any = host === '' || host === '0.0.0.0' || host === '::'
  return { address: any ? undefined : host, port }
}

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
