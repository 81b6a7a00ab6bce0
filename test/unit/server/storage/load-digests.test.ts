import { JuteWriter } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { openAcl } from '../../../../src/data/acl.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { type CreateTxn, encodeTxn, type SetDataTxn, type Txn } from '../../../../src/data/txn.ts'
import { SnapshotEncoder } from '../../../../src/persistence/snapshot-format.ts'
import { loadMember } from '../../../../src/server/storage/load.ts'
import { applyTxn, deafListener } from '../../../../src/tree/apply.ts'
import { DataTree } from '../../../../src/tree/data-tree.ts'
import { TreeDump } from '../../../../src/tree/tree-dump.ts'
import { logFile, MemoryDisk, record } from '../../../support/memory-disk.ts'

/** What a load makes of digests when the snapshot was written by a server of more than one thread. */

const rules = {
  extendedTypesEnabled: true,
  emulate353TtlNodes: false,
  digestEnabled: true,
} as const

interface Tail {
  readonly zxid: number
  readonly digest: bigint
}

/** The original writes its tail from what the thread that applies has said last. */
class DumpWithTail extends TreeDump {
  readonly #tail: Tail

  constructor(tree: DataTree, tail: Tail) {
    super(tree, [])
    this.#tail = tail
  }

  override tail(): Tail {
    return this.#tail
  }
}

const create = (path: string, parentCVersion: number): CreateTxn => ({
  type: OpCode.create,
  path,
  data: Buffer.from('data'),
  acl: openAcl,
  ephemeral: false,
  parentCVersion,
  ttl: 0n,
})

const set = (path: string, version: number): SetDataTxn => ({
  type: OpCode.setData,
  path,
  data: Buffer.from('changed'),
  version,
})

/** A server's tree, the records of its log, and snapshots as it is now. */
class Original {
  readonly tree = new DataTree(rules, true)
  readonly #records: Buffer[] = []

  /** Applies a txn, and logs it with its digest. */
  write(txn: Txn): void {
    const zxid = this.tree.lastProcessedZxid + 1
    this.applyPart(txn)
    this.tree.lastProcessedZxid = zxid
    const w = new JuteWriter()
    w.writeInt(2)
    w.writeLong(this.tree.digest.toBigInt())
    this.#records.push(record(zxid, Buffer.concat([encodeTxn(txn), w.copy()]), txn.type))
  }

  /** What the next txn does, or one part of it, before it is said to be applied. */
  applyPart(txn: Txn): void {
    const zxid = this.tree.lastProcessedZxid + 1
    applyTxn(this.tree, { clientId: 7n, zxid, time: 1000 + zxid }, txn, deafListener)
    this.tree.lastProcessedZxid = zxid - 1
  }

  tail(): Tail {
    return { zxid: this.tree.lastProcessedZxid, digest: this.tree.digest.toBigInt() }
  }

  /** `tail` undefined: the snapshot has none. */
  snapshot(tail: Tail | undefined): Buffer {
    const dump = new DumpWithTail(this.tree, tail ?? this.tail())
    const w = new JuteWriter()
    const parts = { digest: tail !== undefined, lastProcessedZxid: false }
    new SnapshotEncoder(dump, parts).writeSlice(w, Infinity)
    return w.copy()
  }

  log(): Buffer {
    return logFile(this.#records)
  }
}

function errorsOf(files: Readonly<Record<string, Buffer>>): readonly unknown[] {
  const errors: unknown[] = []
  const error = (message: string, fields?: object): void => {
    errors.push([message, fields])
  }
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error }
  const loaded = loadMember(new MemoryDisk(files), { ...rules, mayCreate: false }, logger)
  if (loaded.kind === 'refused') throw new Error(loaded.reason)
  return errors
}

function withTwoNodes(): Original {
  const original = new Original()
  original.write(create('/a', 1))
  original.write(create('/b', 2))
  return original
}

describe('the digests of a snapshot and of the log behind it', () => {
  it('are right when the snapshot holds a part of the txn behind that of its tail', () => {
    const original = withTwoNodes()
    const tail = original.tail()
    original.applyPart(set('/a', 1))
    const snapshot = original.snapshot(tail)
    original.write({ type: OpCode.multi, txns: [set('/a', 1), set('/b', 1)] })
    original.write(create('/c', 3))
    expect(errorsOf({ 'snapshot.2': snapshot, 'log.1': original.log() })).toEqual([])
    expect(errorsOf({ 'snapshot.1': snapshot, 'log.1': original.log() })).toEqual([])
  })

  it('are right when it has no tail, and holds what no zxid in it tells of', () => {
    const original = withTwoNodes()
    original.write(set('/b', 1))
    original.write({ type: OpCode.setACL, path: '/a', acl: [], version: 1 })
    const snapshot = original.snapshot(undefined)
    original.write(create('/c', 3))
    expect(errorsOf({ 'snapshot.2': snapshot, 'log.1': original.log() })).toEqual([])
  })

  const wrong = { zxid: 2, digest: 1n }

  it('are told of when none of them is right', () => {
    const original = withTwoNodes()
    original.applyPart({ type: OpCode.setACL, path: '/a', acl: [], version: 1 })
    const snapshot = original.snapshot(wrong)
    const alone = errorsOf({ 'snapshot.2': snapshot, 'log.1': original.log() })
    const message = 'tree digest differs from the one in the snapshot; told once'
    expect(alone).toEqual([[message, { zxid: '0x2', session: '0x0' }]])
    // Nothing below changes /a, so that it stays as it should not be.
    const other = withTwoNodes()
    other.write(set('/b', 1))
    other.write(create('/c', 3))
    expect(errorsOf({ 'snapshot.2': snapshot, 'log.1': other.log() })).toEqual(alone)
  })

  it('are told of where they begin to differ, once one was right', () => {
    const original = withTwoNodes()
    const snapshot = original.snapshot(original.tail())
    original.write(set('/a', 1))
    // The original has lost a change here, and finds it again.
    original.applyPart({ type: OpCode.setACL, path: '/a', acl: [], version: 1 })
    original.write(set('/b', 1))
    original.applyPart({ type: OpCode.setACL, path: '/a', acl: openAcl, version: 0 })
    original.write(create('/c', 3))
    const message = 'tree digest differs from the one in the log; told once'
    const errors = errorsOf({ 'snapshot.2': snapshot, 'log.1': original.log() })
    expect(errors).toEqual([[message, { zxid: '0x4', session: '0x7' }]])
  })
})
