import { Err } from '../../src/data/error-code.ts'
import { OpCode } from '../../src/data/op-code.ts'
import type { WireEvent } from './golden-wire.ts'
import type { MultiPart, WireBody, WireMessage } from './wire-decoder.ts'

/**
 * Messages as text, in the words of test/golden/wire/*.txt. Those were written by a decoder in Python
 * that shares nothing with ours, hence True, None and b''.
 */

const opNames = new Map<number, string>(Object.entries(OpCode).map(([name, op]) => [op, name]))
const errNames = new Map<number, string>(
  Object.entries(Err).map(([name, err]) => [
    err,
    err === Err.ok ? name : `${name.charAt(0).toUpperCase()}${name.slice(1)}`,
  ]),
)

/** One line of a scenario, without its end of line. */
export function textOfEvent(event: WireEvent): string {
  const head = `${String(event.atMs).padStart(6)} #${event.conn}`
  if (event.kind === 'open') return `${head} -- open `
  if (event.kind === 'frame')
    return `${head} ${event.direction === 'request' ? '>' : '<'} ${textOf(event.message)}`
  if (event.by === 'proxy') return `${head} -- cut `
  return `${head} -- eof ${event.by === 'client' ? 'c2s' : 's2c'}`
}

/** A message on one line, for a comparison or for the report of a failure. */
export function textOf(message: WireMessage): string {
  switch (message.kind) {
    case 'connectRequest':
      return `ConnectRequest ${record(message.record)} readOnly=${value(message.readOnly)}`
    case 'connectResponse':
      return `ConnectResponse ${record(message.record)} readOnly=${value(message.readOnly)}`
    case 'request': {
      const name = opNames.get(message.op) ?? '?'
      return `xid=${message.xid} ${name}(${message.op}) ${body(message.body, "''", opName)}`
    }
    case 'reply': {
      const { xid, zxid, err } = message.header
      const name = message.op === undefined ? '?' : (opNames.get(message.op) ?? message.op)
      const errName = errNames.get(err) ?? '?'
      return `xid=${xid} zxid=${zxid} err=${err}(${errName}) ${name} ${body(message.body, '', resultName)}`
    }
    case 'event':
      return `EVENT zxid=${message.header.zxid} err=${message.header.err} ${record(message.record)}`
    case 'undecodable':
      return `UNFRAMED ${message.bytes.toString('hex')}`
  }
}

const opName = ({ type }: MultiPart): string => opNames.get(type) ?? '?'
const resultName = (part: MultiPart): string => `${opName(part)} err=${part.err}`

function body(from: WireBody, none: string, partName: (part: MultiPart) => string): string {
  switch (from.kind) {
    case 'none':
      return none
    case 'record':
      return record(from.record)
    case 'multi': {
      const parts = from.parts.map(
        (part) => `('${partName(part)}', ${pythonValue(part.record ?? {})})`,
      )
      return `[${parts.join(', ')}]`
    }
    case 'raw':
      return bytesText(from.bytes)
  }
}

/** `{path='/a', watch=True}` */
const record = (from: object): string =>
  `{${Object.entries(from)
    .map(([name, field]) => `${name}=${value(field)}`)
    .join(', ')}}`

function value(from: unknown): string {
  if (Buffer.isBuffer(from)) return bytesText(from)
  if (Array.isArray(from)) return `[${from.map(value).join(', ')}]`
  if (typeof from === 'object' && from !== null) return record(from)
  return scalar(from)
}

/** `{'path': '/a', 'watch': True}`, as the parts of a multi are written. */
function pythonValue(from: unknown): string {
  if (Buffer.isBuffer(from)) return `b${quoted(from.toString('latin1'))}`
  if (Array.isArray(from)) return `[${from.map(pythonValue).join(', ')}]`
  if (typeof from === 'object' && from !== null)
    return `{${Object.entries(from)
      .map(([name, field]) => `'${name}': ${pythonValue(field)}`)
      .join(', ')}}`
  return scalar(from)
}

function scalar(from: unknown): string {
  if (from === null || from === undefined) return 'None'
  if (typeof from === 'boolean') return from ? 'True' : 'False'
  return typeof from === 'string' ? quoted(from) : String(from)
}

/** Data that is plain ASCII is shown as such. */
const bytesText = (bytes: Buffer): string =>
  bytes.every((byte) => byte >= 0x20 && byte < 0x7f)
    ? quoted(bytes.toString('latin1'))
    : `x${bytes.toString('hex')}`

/** As Python's repr writes a str: control characters are escaped, and a backslash. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const chars = Array.from(text, (char) => {
    const escaped = escapes.get(char)
    if (escaped !== undefined) return escaped
    const code = char.charCodeAt(0)
    if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`
    return char === quote ? `\\${char}` : char
  })
  return `${quote}${chars.join('')}${quote}`
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])
