import { JuteReader } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../../../src/base/limits.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { readTxnDigest, readTxnHeader } from '../../../../src/data/records.ts'
import { readTxn } from '../../../../src/data/txn.ts'
import { makeZxid } from '../../../../src/data/zxid.ts'
import type { DiskOp } from '../../../../src/persistence/disk.ts'
import { replayLogs } from '../../../../src/persistence/recovery.ts'
import { defaultLeaderBounds } from '../../../../src/quorum/leading/leader-bounds.ts'
import type { Learners } from '../../../../src/quorum/ports/replica.ts'
import { loadMember } from '../../../../src/server/storage/load.ts'
import { DigestLog } from '../../../../src/server/writes/digest-log.ts'
import { DataTree } from '../../../../src/tree/data-tree.ts'
import { TreeDigest } from '../../../../src/tree/digest.ts'
import { logFile, MemoryDisk } from '../../../support/memory-disk.ts'
import { MemoryServer, requestFrame } from '../../../support/memory-server.ts'
import { ReplicaRig } from '../../../support/replica-rig.ts'
import { create, createTtl, multi, remove, setAcl, setData } from '../../../support/requests.ts'

const appends = (server: MemoryServer) =>
  server.diskOps.flatMap((op: DiskOp) => (op.kind === 'appendTxns' ? [op] : []))

const diskOf = (server: MemoryServer): MemoryDisk =>
  new MemoryDisk({ 'log.1': logFile(appends(server).map(({ bytes }) => bytes)) })

const creates = (count: number): Buffer =>
  Buffer.concat(
    Array.from({ length: count }, (_, xid) => requestFrame(xid, OpCode.create, create(`/n${xid}`))),
  )

describe('the counter of an epoch', () => {
  it('has room for what all learners there may be can ask for in one turn', () => {
    const { writePath } = new ReplicaRig().parts
    const reasons: string[] = []
    const learners: Learners = {
      propose() {},
      commit() {},
      confirm: () => 1,
      sendSync() {},
      sendRevalidated() {},
      giveUp: (reason) => reasons.push(reason),
    }
    const perTurn = defaultLeaderBounds.learnersMax * defaultLimits.requestsOutstandingMax
    const isLeftAt = (counter: number): boolean => {
      reasons.length = 0
      writePath.start(makeZxid(1, counter), learners)
      writePath.giveUpBeforeOverflow()
      return reasons.length > 0
    }
    expect(isLeftAt(0xffff_ffff - perTurn)).toBe(true)
    expect(isLeftAt(0xf000_0000)).toBe(false)
  })
})

describe('a batch', () => {
  it('holds what has arrived since the one before, and says from where to where', () => {
    const server = new MemoryServer()
    const client = server.connect()
    server.isDiskHeld = true
    client.sendBytes(creates(2))
    client.send(OpCode.create, create('/x'))
    client.send(OpCode.create, create('/y'))
    server.releaseDisk()
    server.releaseDisk()
    const spans = appends(server).map(({ firstZxid, lastZxid }) => [firstZxid, lastZxid])
    expect(spans).toEqual([
      [1, 1],
      [2, 3],
      [4, 5],
    ])
  })

  it('is left alone while the disk reads it, though more is written', () => {
    const server = new MemoryServer()
    const client = server.connect()
    const batches: { kept: Buffer; borrowed: Buffer }[] = []
    const write = server.writeDisk.bind(server)
    server.writeDisk = (ops, done) => {
      for (const op of ops)
        if (op.kind === 'appendTxns')
          batches.push({ kept: Buffer.from(op.bytes), borrowed: op.bytes })
      write(ops, done)
    }
    server.isDiskHeld = true
    for (let i = 0; i < 9; i += 1) {
      client.send(OpCode.create, create(`/n${i}`))
      // The first write and then each third is done: buffers are used again.
      if (i % 3 === 2) server.releaseDisk()
      const last = batches.at(-1)
      expect(last?.borrowed.equals(last.kept)).toBe(true)
    }
    expect(batches).toHaveLength(4)
  })

  it('is none where nothing was written', () => {
    const server = new MemoryServer()
    const client = server.connect()
    const before = appends(server).length
    client.call(OpCode.ping, undefined, -2)
    client.call(OpCode.sync, (w) => w.writeString('/'))
    expect(appends(server)).toHaveLength(before)
  })
})

describe('a txn in the log', () => {
  it('has the header of its request, and a digest unless it is an error', () => {
    const server = new MemoryServer()
    const client = server.connect()
    client.call(OpCode.create, create('/a'), 77)
    const { wall } = server
    const digest = server.member.tree.digest.toBigInt()
    client.call(OpCode.delete, remove('/none'), 78)
    const seen: unknown[] = []
    replayLogs(diskOf(server), 0, (header, body) => {
      readTxn(body, header.type)
      seen.push([header, body.remaining === 12 ? readTxnDigest(body) : body.remaining])
      return undefined
    })
    const clientId = client.sessionId
    expect(seen.slice(1)).toEqual([
      [
        { clientId, cxid: 77, zxid: 2, time: wall, type: OpCode.create },
        { version: 2, treeDigest: digest },
      ],
      [{ clientId, cxid: 78, zxid: 3, time: wall, type: OpCode.error }, 0],
    ])
  })

  it('has no digest with digest.enabled=false', () => {
    const server = new MemoryServer({ settings: { 'digest.enabled': 'false' } })
    server.connect().call(OpCode.create, create('/a'))
    const [, op] = appends(server)
    if (op === undefined) throw new Error('nothing was logged')
    const r = new JuteReader(op.bytes.subarray(12, -1))
    const { type } = readTxnHeader(r)
    readTxn(r, type)
    expect([r.ok, r.remaining]).toEqual([true, 0])
  })

  it('brings back the same state when it is loaded', () => {
    const settings = { extendedTypesEnabled: 'true' }
    const server = new MemoryServer({ settings })
    const [client, other] = [server.connect(), server.connect()]
    client.call(OpCode.create, create('/a', { data: null }))
    client.call(OpCode.create2, create('/a/e', { flags: 3 }))
    client.call(OpCode.createTTL, createTtl('/a/t', 999n))
    client.call(OpCode.setACL, setAcl('/a', [{ perms: 31, id: { scheme: 'ip', id: '127.0.0.1' } }]))
    client.call(
      OpCode.multi,
      multi([
        [OpCode.create, create('/a/c', { flags: 4 })],
        [OpCode.setData, setData('/a', 'x')],
      ]),
    )
    client.call(OpCode.multi, multi([[OpCode.delete, remove('/a')]]))
    other.call(OpCode.create, create('/gone', { flags: 1 }))
    other.call(OpCode.closeSession)
    const errors: string[] = []
    const log = (message: string): void => {
      errors.push(message)
    }
    const rules = { extendedTypesEnabled: true, emulate353TtlNodes: false, digestEnabled: true }
    const logger = { debug: log, info: log, warn: log, error: log }
    const loaded = loadMember(diskOf(server), rules, logger)
    if (loaded.kind === 'refused') throw new Error(loaded.reason)
    const shown = (tree: DataTree): unknown =>
      [...tree.entries()]
        .map(([path, znode]) => [path, znode.data, tree.statOf(znode), znode.acl.acl])
        .sort()
    expect(shown(loaded.tree)).toEqual(shown(server.member.tree))
    expect(loaded.sessions).toEqual(new Map([[client.sessionId, client.timeOut]]))
    expect(loaded.lastZxid).toBe(server.member.tree.lastProcessedZxid)
    expect(errors).toEqual([])
  })
})

describe('a server that starts with a log', () => {
  it('goes on where it ends, and gives sessions their full timeout', () => {
    const tree = new DataTree({ extendedTypesEnabled: false, emulate353TtlNodes: false }, true)
    tree.lastProcessedZxid = 0x66
    const recovered = { tree, sessions: new Map([[5n, 4000]]), lastZxid: 0x66 }
    const server = new MemoryServer({ recovered })
    server.pass(4000)
    expect(server.member.sessions.count).toBe(1)
    const client = server.connect(40_000)
    expect(client.call(OpCode.create, create('/a')).zxid).toBe(0x68)
    server.pass(2100)
    expect([...server.member.sessions.all.keys()]).toEqual([client.sessionId])
  })
})

describe('the digest log', () => {
  it('keeps the digest of each 128th zxid, the last 1024 of them', () => {
    const log = new DigestLog()
    const digest = new TreeDigest()
    for (let zxid = 1; zxid <= 128 * 1030; zxid += 1) {
      if (zxid % 128 === 0) digest.add(1)
      log.onApplied(zxid, digest)
    }
    const entries = [...log.entries]
    expect(entries).toHaveLength(1024)
    expect(entries[0]).toEqual({ zxid: 128 * 7, digest: 7n })
    expect(entries.at(-1)).toEqual({ zxid: 128 * 1030, digest: 1030n })
  })
})
