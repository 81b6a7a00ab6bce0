import { JuteWriter } from 'jute-ts'
import { Prng } from '../../src/base/prng.ts'
import { writeTxnHeader } from '../../src/data/records.ts'
import { encodeTxn } from '../../src/data/txn.ts'
import { SnapshotEncoder } from '../../src/persistence/snapshot-format.ts'
import {
  beginTxnRecord,
  endTxnRecord,
  logFileHeader,
} from '../../src/persistence/txn-log-format.ts'
import { applyTxn, deafListener } from '../../src/tree/apply.ts'
import { DataTree } from '../../src/tree/data-tree.ts'
import { TreeDump } from '../../src/tree/tree-dump.ts'
import { type RandomTxn, RandomTxns } from './random-txns.ts'

export const fuzzyRules = {
  extendedTypesEnabled: true,
  emulate353TtlNodes: false,
  digestEnabled: true,
} as const

/** A server's state, and the files that it had on disk by then. */
export interface FuzzyDirectory {
  readonly tree: DataTree
  /** Zxid in the name of the snapshot. */
  readonly snapshotZxid: number
  /** The newest txn that the snapshot holds something of. */
  readonly needsZxid: number
  readonly snapshot: Buffer
  /** A log file that begins with `fromZxid` and ends with `toZxid`; as if `epoch` were theirs. */
  logFile(fromZxid: number, toZxid: number, epoch?: number): Buffer
}

const SLICE_BYTES = 200
const TXNS_PER_SLICE = 4

/** A snapshot that was written while txns were applied, and all of these. The first zxid is 1. */
export function fuzzyDirectory(seed: number, txnsBefore: number): FuzzyDirectory {
  const tree = new DataTree(fuzzyRules, true)
  const source = new RandomTxns(new Prng(seed), tree)
  const txns: RandomTxn[] = []
  const write = (count: number): void => {
    for (let i = 0; i < count; i += 1) {
      const txn = source.next()
      applyTxn(tree, txn, txn.txn, deafListener)
      txns.push(txn)
    }
  }
  write(txnsBefore)
  const sessions = [...source.sessions].map((id) => [id, 10_000] as const)
  const dump = new TreeDump(tree, sessions)
  const encoder = new SnapshotEncoder(dump, { digest: true, lastProcessedZxid: true })
  const w = new JuteWriter()
  const parts: Buffer[] = []
  let needsZxid = 0
  for (let isLast = false; !isLast; ) {
    w.clear()
    needsZxid = tree.lastProcessedZxid
    isLast = encoder.writeSlice(w, SLICE_BYTES)
    parts.push(w.copy())
    write(TXNS_PER_SLICE)
  }
  return {
    tree,
    snapshotZxid: dump.zxid,
    needsZxid,
    snapshot: Buffer.concat(parts),
    logFile: (fromZxid, toZxid, epoch = 0) =>
      logOf(
        txns.filter(({ zxid }) => zxid >= fromZxid && zxid <= toZxid),
        epoch,
      ),
  }
}

function logOf(txns: readonly RandomTxn[], epoch: number): Buffer {
  const w = new JuteWriter()
  w.writeBytes(logFileHeader())
  for (const { clientId, zxid, time, txn } of txns) {
    const at = beginTxnRecord(w)
    writeTxnHeader(w, { clientId, cxid: 1, zxid: epoch * 2 ** 32 + zxid, time, type: txn.type })
    w.writeBytes(encodeTxn(txn))
    endTxnRecord(w, at)
  }
  return w.copy()
}
