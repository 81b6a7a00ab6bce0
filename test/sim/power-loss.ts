import { JuteReader, type JuteWriter } from 'jute-ts'
import { Prng } from '../../src/base/prng.ts'
import { openAcl } from '../../src/data/acl.ts'
import { OpCode } from '../../src/data/op-code.ts'
import {
  readTxnHeader,
  writeCreateRequest,
  writeDeleteRequest,
  writeSetDataRequest,
} from '../../src/data/records.ts'
import { readTxn } from '../../src/data/txn.ts'
import type { DiskOp } from '../../src/persistence/disk.ts'
import { planPurge } from '../../src/persistence/purge.ts'
import { loadMember } from '../../src/server/storage/load.ts'
import { applyTxn, deafListener } from '../../src/tree/apply.ts'
import { DataTree } from '../../src/tree/data-tree.ts'
import { type MemoryClient, MemoryServer } from '../support/memory-server.ts'
import { silentLogger } from '../support/silent-logger.ts'
import { treeText } from '../support/tree-text.ts'
import { SimDisk } from './sim-disk.ts'

const rules = {
  extendedTypesEnabled: false,
  emulate353TtlNodes: false,
  digestEnabled: true,
  snapshotTrustEmpty: false,
  mayCreate: true,
}
const CYCLES = 6
const settings = { snapCount: '12', 'autopurge.snapRetainCount': '3' }

/**
 * One server on a disk that loses power now and then, at any moment. Throws when a txn that was
 * acknowledged is not there afterwards, or when what is there is not the state that the txns up to
 * there give.
 */
export class PowerLoss {
  readonly #prng: Prng
  readonly #disk: SimDisk
  /** Every record that was ever sent to the disk and not lost, by zxid. */
  readonly #history = new Map<number, Buffer>()
  #ackedZxid = 0
  /** What came to pass, so that a run of seeds can show that nothing was left out. */
  readonly seen: Record<'acked' | 'lost' | 'fromSnapshot' | 'tails', number> = {
    acked: 0,
    lost: 0,
    fromSnapshot: 0,
    tails: 0,
  }

  constructor(seed: number) {
    this.#prng = new Prng(seed)
    this.#disk = new SimDisk(this.#prng)
  }

  run(): void {
    for (let cycle = 0; cycle < CYCLES; cycle += 1) {
      const server = this.#boot()
      this.#work(server)
      this.#disk.crash()
    }
    this.#boot()
  }

  #boot(): MemoryServer {
    const loaded = loadMember(this.#disk, rules, silentLogger)
    if (loaded.kind === 'refused') throw new Error(`refused: ${JSON.stringify(loaded)}`)
    if (loaded.lastZxid < this.#ackedZxid)
      throw new Error(`acknowledged up to ${this.#ackedZxid}, recovered ${loaded.lastZxid}`)
    this.#compare(loaded.tree, loaded.sessions, loaded.lastZxid)
    for (const zxid of [...this.#history.keys()])
      if (zxid > loaded.lastZxid) {
        this.seen.lost += 1
        this.#history.delete(zxid)
      }
    if (loaded.snapshot !== undefined && loaded.snapshot !== 'snapshot.0')
      this.seen.fromSnapshot += 1
    if (loaded.tail !== undefined) {
      this.seen.tails += 1
      this.#disk.cutTail(loaded.tail)
    }
    const server = new MemoryServer({
      settings,
      recovered: loaded,
      wall: 1_700_000_000_000 + loaded.lastZxid * 1000,
      disk: {
        writeDisk: (ops, done) => {
          this.#note(ops)
          this.#disk.writeDisk(ops, done)
        },
        writeSnapshotSlice: (op, done) => this.#disk.writeSnapshotSlice(op, done),
      },
    })
    return server
  }

  /** The naive model: all txns, one after the other, on a new tree. */
  #compare(tree: DataTree, sessions: ReadonlyMap<bigint, number>, lastZxid: number): void {
    const model = new DataTree(rules, true)
    const modelSessions = new Map<bigint, number>()
    for (let zxid = 1; zxid <= lastZxid; zxid += 1) {
      const record = this.#history.get(zxid)
      if (record === undefined) throw new Error(`zxid ${zxid} was recovered and never written`)
      const r = new JuteReader(record, 12, record.length - 1)
      const header = readTxnHeader(r)
      const txn = readTxn(r, header.type)
      if (txn === undefined) throw new Error('a txn that cannot be read')
      if (txn.type === OpCode.createSession) modelSessions.set(header.clientId, txn.timeOut)
      if (txn.type === OpCode.closeSession) modelSessions.delete(header.clientId)
      applyTxn(model, header, txn, deafListener)
    }
    const expected = `${treeText(model)}\n${sessionText(modelSessions)}`
    const found = `${treeText(tree)}\n${sessionText(sessions)}`
    if (expected !== found) throw new Error(`expected\n${expected}\nfound\n${found}`)
  }

  #note(ops: readonly DiskOp[]): void {
    for (const op of ops) {
      if (op.kind !== 'appendTxns') continue
      let zxid = op.firstZxid
      for (let at = 0; at < op.bytes.length; zxid += 1) {
        const end = at + 13 + op.bytes.readInt32BE(at + 8)
        this.#history.set(zxid, Buffer.from(op.bytes.subarray(at, end)))
        at = end
      }
    }
  }

  #work(server: MemoryServer): void {
    const clients = [this.#connect(server), this.#connect(server)]
    const steps = 5 + this.#prng.below(80)
    for (let step = 0; step < steps; step += 1) {
      const client = clients[this.#prng.below(2)]
      if (client !== undefined && this.#prng.below(3) > 0) this.#send(client)
      else if (this.#disk.isBusy) this.#disk.completeOne()
      server.settle()
      for (const one of clients) this.#takeReplies(one)
      if (this.#prng.below(40) === 0)
        for (const name of planPurge(this.#disk, 3)) this.#disk.unlink(name)
    }
  }

  #connect(server: MemoryServer): MemoryClient {
    const client = server.open()
    client.handshake({ timeOut: 4000 })
    return client
  }

  #takeReplies(client: MemoryClient): void {
    for (const frame of client.takeFrames()) {
      // The answer to the handshake has no header; it has 36 or 37 bytes and begins with version 0.
      const isHandshake = client.sessionId === 0n
      if (isHandshake) client.sessionId = frame.readBigInt64BE(8)
      else {
        this.#ackedZxid = Math.max(this.#ackedZxid, Number(frame.readBigInt64BE(4)))
        this.seen.acked += 1
      }
    }
  }

  #send(client: MemoryClient): void {
    const path = `/${'abcd'[this.#prng.below(4)]}`
    const data = Buffer.alloc(this.#prng.below(300), this.#prng.below(256))
    const kind = this.#prng.below(5)
    const send = (op: number, body: (w: JuteWriter) => void): unknown => client.send(op, body)
    if (kind === 0) send(OpCode.delete, (w) => writeDeleteRequest(w, { path, version: -1 }))
    else if (kind === 1)
      send(OpCode.setData, (w) => writeSetDataRequest(w, { path, data, version: -1 }))
    else if (kind === 2)
      send(OpCode.create, (w) =>
        writeCreateRequest(w, { path: `${path}/s-`, data, acl: openAcl, flags: 2 }),
      )
    else
      send(OpCode.create, (w) =>
        writeCreateRequest(w, { path, data, acl: openAcl, flags: kind === 3 ? 1 : 0 }),
      )
  }
}

const sessionText = (sessions: ReadonlyMap<bigint, number>): string =>
  [...sessions]
    .map(([id, ms]) => `session ${id} ${ms}`)
    .sort()
    .join('\n')
