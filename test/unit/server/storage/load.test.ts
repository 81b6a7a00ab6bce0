import { JuteWriter } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { adler32 } from '../../../../src/base/adler32.ts'
import type { Logger } from '../../../../src/base/logger.ts'
import { openAcl } from '../../../../src/data/acl.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import type { Stat } from '../../../../src/data/records.ts'
import { type CreateTxn, encodeTxn, type Txn } from '../../../../src/data/txn.ts'
import { SnapshotEncoder } from '../../../../src/persistence/snapshot-format.ts'
import { type Loaded, type LoadRules, loadMember } from '../../../../src/server/storage/load.ts'
import { DataTree } from '../../../../src/tree/data-tree.ts'
import { TreeDump } from '../../../../src/tree/tree-dump.ts'
import { digestOf } from '../../../support/decider.ts'
import {
  goldenDisk,
  goldenJson,
  logFile,
  MemoryDisk,
  record,
} from '../../../support/memory-disk.ts'

const rules: LoadRules = {
  extendedTypesEnabled: true,
  emulate353TtlNodes: false,
  digestEnabled: true,
  snapshotTrustEmpty: false,
  mayCreate: true,
}

/** The messages that a load has logged; `loaded` throws if it was refused. */
function load(disk: MemoryDisk, more: Partial<LoadRules> = {}): { loaded: Loaded; log: string[] } {
  const log: string[] = []
  const note = (message: string): void => {
    log.push(message)
  }
  const logger: Logger = { debug: note, info: note, warn: note, error: note }
  const loaded = loadMember(disk, { ...rules, ...more }, logger)
  if (loaded.kind === 'refused') throw new Error(loaded.reason)
  return { loaded, log }
}

interface GoldenState {
  readonly lastZxid: string
  readonly nodeCountFourLetter: number
  readonly treeDigest: { readonly digest: string }
  readonly sessions: readonly {
    readonly id: string
    readonly timeout: number
    readonly ephemerals: readonly string[]
  }[]
  readonly nodes: Readonly<
    Record<
      string,
      {
        readonly data: string | null
        readonly stat: Readonly<Record<keyof Stat, string | number>>
        readonly acl: readonly { perms: number; scheme: string; id: string }[]
        readonly children: readonly string[]
        readonly persisted: { readonly cversion: number; readonly ephemeralOwner: string }
      }
    >
  >
}

/** A tree in the form of expected.json. */
function shown(tree: DataTree): Record<string, unknown> {
  const nodes = [...tree.entries()].map(([path, znode]) => {
    const stat = Object.entries(tree.statOf(znode)).map(([name, value]) => [name, String(value)])
    return [
      path,
      {
        data: znode.data === null ? null : znode.data.toString('base64'),
        stat: Object.fromEntries(stat),
        acl: znode.acl.acl.map(({ perms, id }) => ({ perms, ...id })),
        children: [...(znode.children ?? [])].sort(),
        persisted: { cversion: znode.cversion, ephemeralOwner: `${znode.ephemeralOwner}` },
      },
    ]
  })
  return Object.fromEntries(nodes)
}

function recordedNodes(state: GoldenState): unknown {
  const nodes = Object.entries(state.nodes).map(([path, node]) => {
    const stat = Object.entries(node.stat).map(([name, value]) => [name, String(value)])
    const { cversion, ephemeralOwner } = node.persisted
    return [
      path,
      {
        ...node,
        stat: Object.fromEntries(stat),
        children: [...node.children].sort(),
        persisted: { cversion, ephemeralOwner },
      },
    ]
  })
  return Object.fromEntries(nodes)
}

describe.each(['standalone', 'gz', 'snappy'])('datadir-%s, loaded', (name) => {
  const state = goldenJson<GoldenState>(`datadir-${name}/expected.json`)
  const { loaded, log } = load(goldenDisk(`datadir-${name}`))

  it('give the recorded nodes: data, Stat, ACL, children', () => {
    expect(shown(loaded.tree)).toEqual(recordedNodes(state))
    expect(loaded.tree.nodeCount).toBe(state.nodeCountFourLetter)
  })

  it('give the recorded sessions and their ephemerals', () => {
    const sessions = [...loaded.sessions].map(([id, timeout]) => ({
      id: `${id}`,
      timeout,
      ephemerals: [...loaded.tree.ephemeralsOf(id)].sort(),
    }))
    const recorded = state.sessions.map(({ id, timeout, ephemerals }) => ({
      id,
      timeout,
      ephemerals: [...ephemerals].sort(),
    }))
    expect(new Set(sessions)).toEqual(new Set(recorded))
  })

  it('agree with each digest in the log, and with the last recorded one', () => {
    expect(log).toEqual([])
    expect(loaded.lastZxid).toBe(Number(state.lastZxid))
    expect(loaded.tree.digest.toBigInt()).toBe(BigInt(state.treeDigest.digest))
    expect(digestOf(loaded.tree)).toBe(BigInt(state.treeDigest.digest))
  })
})

describe('two members of a recorded ensemble', () => {
  it('come to the same tree', () => {
    const [one, two] = ['server1', 'server2'].map((name) =>
      load(goldenDisk(`datadir-quorum/${name}`)),
    )
    expect(one?.log).toEqual([])
    expect(one?.loaded.tree.digest.toBigInt()).toBe(two?.loaded.tree.digest.toBigInt())
    // Each member keeps the membership as it has read it itself: no txn sets it.
    const { '/zookeeper/config': ofOne, ...first } = one === undefined ? {} : shown(one.loaded.tree)
    const { '/zookeeper/config': ofTwo, ...second } =
      two === undefined ? {} : shown(two.loaded.tree)
    expect(first).toEqual(second)
    expect([ofOne, ofTwo]).not.toContain(undefined)
  })
})

const session = 0x55n
const create = (path: string, parentCVersion: number, ephemeral = false): CreateTxn => ({
  type: OpCode.create,
  path,
  data: Buffer.from('data'),
  acl: openAcl,
  ephemeral,
  parentCVersion,
  ttl: 0n,
})

/** A log of these txns, with the session as client, from zxid 1 on. */
function diskOf(txns: readonly Txn[], digest: Buffer = Buffer.alloc(0)): MemoryDisk {
  const records = txns.map((txn, at) => {
    const bytes = record(at + 1, Buffer.concat([encodeTxn(txn), digest]))
    // Checksum and length, then the header: client, cxid, zxid, time and type.
    return withHeader(bytes, txn.type)
  })
  return new MemoryDisk({ 'log.1': logFile(records) })
}

function withHeader(bytes: Buffer, type: number): Buffer {
  const entry = Buffer.from(bytes.subarray(12, -1))
  entry.writeBigInt64BE(session, 0)
  entry.writeInt32BE(type, 28)
  const framed = Buffer.concat([bytes.subarray(0, 12), entry, bytes.subarray(-1)])
  framed.writeUInt32BE(adler32(entry, 0, entry.length) >>> 0, 4)
  return framed
}

const open: Txn = { type: OpCode.createSession, timeOut: 4000 }

describe('a load', () => {
  it('deletes the ephemerals of sessions that are not there, as of the last zxid', () => {
    const txns = [create('/p', 1), create('/p/e', 1, true), create('/last', 2)]
    const { loaded, log } = load(diskOf(txns))
    expect(loaded.tree.node('/p/e')).toBeUndefined()
    expect(loaded.tree.node('/p')?.pzxid).toBe(3)
    expect(log).toEqual(['dropping ephemerals of an unknown session'])
    expect(loaded.tree.digest.toBigInt()).toBe(digestOf(loaded.tree))
  })

  it('keeps those of sessions that are, until their closeSession', () => {
    const alive = [open, create('/e', 1, true)]
    expect(load(diskOf(alive)).loaded.tree.node('/e')?.ephemeralOwner).toBe(session)
    expect(load(diskOf(alive)).loaded.sessions).toEqual(new Map([[session, 4000]]))
    const closed: Txn = { type: OpCode.closeSession, paths2Delete: undefined }
    const { loaded } = load(diskOf([...alive, closed]))
    expect(loaded.tree.node('/e')).toBeUndefined()
    expect(loaded.sessions.size).toBe(0)
  })

  it('takes TTL nodes for ephemerals of nobody unless told that there are such', () => {
    const ttl: Txn = { ...create('/t', 1), type: OpCode.createTTL, ttl: 9n }
    expect(load(diskOf([ttl])).loaded.tree.ttls).toEqual(new Set(['/t']))
    const without = load(diskOf([ttl]), { extendedTypesEnabled: false })
    expect(without.loaded.tree.node('/t')).toBeUndefined()
  })

  it('keeps a node that was created where such a one had been dropped', () => {
    const ttl: Txn = { ...create('/t', 1), type: OpCode.createTTL, ttl: 9n }
    // A start between the two has dropped the first one, and was killed before its snapshot was there.
    const { loaded } = load(diskOf([ttl, create('/t', 2)]), { extendedTypesEnabled: false })
    expect(loaded.tree.node('/t')?.czxid).toBe(2)
    expect(loaded.tree.digest.toBigInt()).toBe(digestOf(loaded.tree))
  })

  it('asks for another snapshot when it has dropped what the newest one holds', () => {
    const ttl: Txn = { ...create('/t', 1), type: OpCode.createTTL, ttl: 9n }
    const { tree } = load(diskOf([ttl])).loaded
    const w = new JuteWriter()
    const tail = { digest: true, lastProcessedZxid: true }
    new SnapshotEncoder(new TreeDump(tree, []), tail).writeSlice(w, Infinity)
    const disk = new MemoryDisk({ 'snapshot.1': w.copy() })
    expect(load(disk).loaded.isSnapshotCurrent).toBe(true)
    // Else a replay from this one would find a node that was created at /t since, and drop that, too.
    expect(load(disk, { extendedTypesEnabled: false }).loaded.isSnapshotCurrent).toBe(false)
  })

  it('survives a TTL that killed 3.8 (spec 02 §2)', () => {
    const ttl: Txn = { ...create('/t', 1), type: OpCode.createTTL, ttl: -1n }
    const { tree } = load(diskOf([ttl])).loaded
    expect(tree.node('/t')).toBeDefined()
    expect(tree.digest.toBigInt()).toBe(digestOf(tree))
  })

  it('applies nothing of a failed multi, and goes on', () => {
    const multi: Txn = {
      type: OpCode.multi,
      txns: [create('/a', 1), { type: OpCode.error, err: -101 }],
    }
    const { loaded } = load(diskOf([multi, create('/b', 1)]))
    expect([...(loaded.tree.node('/')?.children ?? [])]).toEqual(['zookeeper', 'b'])
    expect([loaded.lastZxid, loaded.txns]).toEqual([2, 2])
  })

  it('counts quotas anew', () => {
    const paths = ['/q', '/zookeeper/quota/q', '/zookeeper/quota/q/zookeeper_limits']
    const stats = '/zookeeper/quota/q/zookeeper_stats'
    const txns: Txn[] = [...paths, stats, '/q/x'].map((path) => create(path, -1))
    const wrong = Buffer.from('count=9,bytes=9')
    txns.push({ type: OpCode.setData, path: stats, data: wrong, version: 1 })
    const { tree } = load(diskOf(txns)).loaded
    expect(tree.node(stats)?.data?.toString()).toBe('count=2,bytes=8')
  })

  it('keeps nothing of the bytes it was lent', () => {
    const lent: Buffer[] = []
    const multi: Txn = { type: OpCode.multi, txns: [create('/b', 2)] }
    const disk = diskOf([create('/a', 1), multi])
    const read = disk.readLog.bind(disk)
    disk.readLog = (name, offset, length) => {
      const bytes = read(name, offset, length)
      lent.push(bytes)
      return bytes
    }
    const { tree } = load(disk).loaded
    for (const bytes of lent) bytes.fill(0)
    const data = ['/a', '/b'].map((path) => tree.node(path)?.data?.toString())
    expect(data).toEqual(['data', 'data'])
  })

  it('tells once of digests that differ, and goes on', () => {
    const digest = Buffer.from('000000020000000000000001', 'hex')
    const { loaded, log } = load(diskOf([create('/a', 1), create('/b', 2)], digest))
    expect(log).toEqual(['tree digest differs from the one in the log; told once'])
    expect(loaded.tree.node('/b')).toBeDefined()
    expect(load(diskOf([create('/a', 1)], digest), { digestEnabled: false }).log).toEqual([])
    // Another version of digest is none that we can compare.
    const old = Buffer.from('000000010000000000000001', 'hex')
    expect(load(diskOf([create('/a', 1)], old)).log).toEqual([])
  })

  it('is refused for a type that no log may hold, and for a body that does not decode', () => {
    const unknown = new MemoryDisk({ 'log.1': logFile([withHeader(record(1), 77)]) })
    expect(() => load(unknown)).toThrow('txn type 77 cannot be replayed')
    const short = new MemoryDisk({ 'log.1': logFile([withHeader(record(1), OpCode.setData)]) })
    expect(() => load(short)).toThrow('does not decode')
  })

  it('of nothing is a fresh tree', () => {
    const { loaded } = load(new MemoryDisk())
    expect([loaded.lastZxid, loaded.txns, loaded.sessions.size]).toEqual([0, 0, 0])
    expect(loaded.tree.digest.toBigInt()).toBe(new DataTree(rules, true).digest.toBigInt())
  })
})
