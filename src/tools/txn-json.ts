import { OpCode } from '../data/op-code.ts'
import type { SubTxn, Txn } from '../data/txn.ts'
import type { LogRecord } from './log-records.ts'
import { txnTypeName } from './txn-text.ts'

/** What JSON can say without loss: 64-bit numbers are decimal strings, data is base64. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json }

/**
 * All of a record. `problem` is there only if something is wrong; what does not decode is null.
 */
export function recordJson(file: string, record: LogRecord, problem: string | undefined): Json {
  const { header, txn, digest } = record
  return {
    file,
    offset: record.offset,
    length: record.length,
    adler32: record.adler32,
    name: header === undefined ? null : txnTypeName(header.type),
    header:
      header === undefined
        ? null
        : {
            clientId: String(header.clientId),
            cxid: header.cxid,
            zxid: String(header.zxid),
            time: String(header.time),
            type: header.type,
          },
    txn: txn === undefined ? null : txnJson(txn),
    digest:
      digest === undefined
        ? null
        : { version: digest.version, treeDigest: String(digest.treeDigest) },
    ...(problem === undefined ? {} : { problem }),
  }
}

function txnJson(txn: Txn): Json {
  switch (txn.type) {
    case OpCode.multi:
      return { txns: txn.txns.map((part) => ({ type: part.type, body: subTxnJson(part) })) }
    case OpCode.setACL:
      return { path: txn.path, acl: txn.acl.map(aclJson), version: txn.version }
    case OpCode.createSession:
      return { timeOut: txn.timeOut }
    case OpCode.closeSession:
      return txn.paths2Delete === undefined ? {} : { paths2Delete: txn.paths2Delete }
    default:
      return subTxnJson(txn)
  }
}

function subTxnJson(txn: SubTxn): Json {
  switch (txn.type) {
    case OpCode.delete:
    case OpCode.deleteContainer:
      return { path: txn.path }
    case OpCode.setData:
    case OpCode.reconfig:
      return { path: txn.path, data: dataJson(txn.data), version: txn.version }
    case OpCode.check:
      return { path: txn.path, version: txn.version }
    case OpCode.error:
      return { err: txn.err }
    default: {
      const { type, path, parentCVersion } = txn
      const common = { path, data: dataJson(txn.data), acl: txn.acl.map(aclJson) }
      if (type === OpCode.createContainer) return { ...common, parentCVersion }
      if (type === OpCode.createTTL) return { ...common, parentCVersion, ttl: String(txn.ttl) }
      return { ...common, ephemeral: txn.ephemeral, parentCVersion }
    }
  }
}

export const dataJson = (data: Buffer | null): Json => data?.toString('base64') ?? null

export function aclJson(acl: {
  readonly perms: number
  readonly id: { readonly scheme: string; readonly id: string }
}): Json {
  return { perms: acl.perms, id: { scheme: acl.id.scheme, id: acl.id.id } }
}
