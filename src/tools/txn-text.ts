import { shortDate } from '../base/utc.ts'
import { OpCode } from '../data/op-code.ts'
import type { ACL, TxnHeader } from '../data/records.ts'
import { formatSessionId } from '../data/session-id.ts'
import type { CreateTxn, SubTxn, Txn } from '../data/txn.ts'
import { formatZxid } from '../data/zxid.ts'

const typeNames: ReadonlyMap<number, string> = new Map(
  Object.entries(OpCode).map(([name, code]) => [code, name]),
)

/** The original's word for a txn type. */
export const txnTypeName = (type: number): string => typeNames.get(type) ?? `unknown ${type}`

/**
 * A txn as one line, laid out as by the log toolkit of 3.9, so that what was written to read that
 * goes on reading it. Times are in UTC. What would break the line or the terminal is escaped. The
 * parts of a multi are decoded, of which 3.9 shows the bytes.
 */
export function txnLine(header: TxnHeader, txn: Txn | undefined): string {
  const cxid = BigInt.asUintN(64, BigInt(header.cxid)).toString(16)
  const words = [
    shortDate(header.time),
    `session ${formatSessionId(header.clientId)} cxid 0x${cxid} zxid ${formatZxid(header.zxid)}`,
    txnTypeName(header.type),
    txn === undefined ? '' : escapeControls(txnDetails(txn)),
  ]
  return words.join(' ')
}

function txnDetails(txn: Txn): string {
  switch (txn.type) {
    case OpCode.multi:
      return txn.txns.map((part) => `${txnTypeName(part.type)}:${subTxnDetails(part)}`).join(';')
    case OpCode.setACL:
      return `${csvString(txn.path)},v{${txn.acl.map((one) => `s{${csvAcl(one)}}`).join(',')}},${txn.version}`
    case OpCode.delete:
    case OpCode.deleteContainer:
      return csvString(txn.path)
    case OpCode.createSession:
      return String(txn.timeOut)
    case OpCode.closeSession:
      return txn.paths2Delete === undefined ? '' : `v{${txn.paths2Delete.map(csvString).join(',')}}`
    default:
      return subTxnDetails(txn)
  }
}

function subTxnDetails(txn: SubTxn): string {
  switch (txn.type) {
    case OpCode.delete:
    case OpCode.deleteContainer:
      return txn.path
    case OpCode.setData:
    case OpCode.reconfig:
      return `${txn.path},${dataText(txn.data)},${txn.version}`
    case OpCode.check:
      return `${txn.path},${txn.version}`
    case OpCode.error:
      return String(txn.err)
    default:
      return createDetails(txn)
  }
}

function createDetails(txn: CreateTxn): string {
  const acl = `[${txn.acl.map(csvAcl).join(', ')}]`
  const start = `${txn.path},${dataText(txn.data)},${acl}`
  if (txn.type === OpCode.createContainer) return `${start},${txn.parentCVersion}`
  if (txn.type === OpCode.createTTL) return `${start},${txn.parentCVersion},${txn.ttl}`
  return `${start},${txn.ephemeral},${txn.parentCVersion}`
}

const dataText = (data: Buffer | null): string => data?.toString('utf8') ?? ''

const csvAcl = ({ perms, id }: ACL): string =>
  `${perms},s{${csvString(id.scheme)},${csvString(id.id)}}`

/** A string as Jute writes it for people. */
function csvString(text: string): string {
  const escaped = text.replace(/[\0\n\r%,}]/g, (char) => {
    const code = char.charCodeAt(0).toString(16).toUpperCase()
    return `%${code.padStart(2, '0')}`
  })
  return `'${escaped}`
}

const shortEscapes: ReadonlyMap<string, string> = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])

/** Control characters and line breaks of any kind as escapes. */
export function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (char) => {
    const code = char.charCodeAt(0).toString(16).padStart(4, '0')
    return shortEscapes.get(char) ?? `\\u${code}`
  })
}
