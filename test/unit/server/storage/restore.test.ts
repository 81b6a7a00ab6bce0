import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Prng } from '../../../../src/base/prng.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { snappyBlocks, snappyHeader } from '../../../../src/persistence/snappy-stream.ts'
import { SnapshotEncoder } from '../../../../src/persistence/snapshot-format.ts'
import { SessionTracker } from '../../../../src/server/sessions/session-tracker.ts'
import { loadMember } from '../../../../src/server/storage/load.ts'
import {
  type Backup,
  beginBackup,
  planRestoredZxid,
  readBackup,
  replaceDatabase,
} from '../../../../src/server/storage/restore.ts'
import { SliceFeed } from '../../../../src/server/storage/slice-feed.ts'
import { applyTxn, deafListener } from '../../../../src/tree/apply.ts'
import { DataTree } from '../../../../src/tree/data-tree.ts'
import { TreeDump } from '../../../../src/tree/tree-dump.ts'
import { goldenDisk, MemoryDisk } from '../../../support/memory-disk.ts'
import { MemoryServer } from '../../../support/memory-server.ts'
import { RandomTxns } from '../../../support/random-txns.ts'
import { create, getData, remove, setData } from '../../../support/requests.ts'
import { silentLogger } from '../../../support/silent-logger.ts'
import { treeText } from '../../../support/tree-text.ts'

const rules = { extendedTypesEnabled: true, emulate353TtlNodes: false, digestEnabled: true }
const whole = { digest: true, lastProcessedZxid: true }

const gunzip = (packed: Buffer): Buffer | string => {
  try {
    return gunzipSync(packed)
  } catch (error) {
    return String(error)
  }
}

class Told {
  readonly warnings: string[] = []
  readonly logger = { ...silentLogger, warn: (message: string) => this.warnings.push(message) }
}

interface World {
  readonly tree: DataTree
  readonly sessions: SessionTracker
  readonly source: RandomTxns
}

function world(seed: number, txns: number): World {
  const tree = new DataTree(rules, true)
  const source = new RandomTxns(new Prng(seed), tree)
  const made = { tree, sessions: new SessionTracker(1n, 2000), source }
  write(made, txns)
  return made
}

/** Writes go on, and sessions come and go as a member has them. */
function write({ tree, sessions, source }: World, txns: number): void {
  for (let i = 0; i < txns; i += 1) {
    const next = source.next()
    applyTxn(tree, next, next.txn, deafListener)
    if (next.txn.type === OpCode.createSession)
      sessions.track(next.clientId, next.txn.timeOut, 1000)
    if (next.txn.type === OpCode.closeSession) sessions.remove(next.clientId)
  }
}

function fetchAll(feed: SliceFeed | string, between: () => void = () => {}): Buffer {
  if (typeof feed === 'string') throw new Error(feed)
  const parts: Buffer[] = []
  for (let slice = feed.next(); slice !== undefined; slice = feed.next()) {
    parts.push(slice)
    between()
  }
  if (feed.problem !== undefined) throw new Error(feed.problem)
  return Buffer.concat(parts)
}

function read(bytes: Buffer, told = new Told()): Backup {
  const backup = readBackup([bytes], gunzip, rules, told.logger)
  if (typeof backup === 'string') throw new Error(backup)
  expect(told.warnings).toEqual([])
  return backup
}

describe('a backup', () => {
  it('is the database of the moment at which it began, whatever is written meanwhile', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const prng = new Prng(seed)
        const { tree, sessions, source } = world(seed, 40 + prng.below(150))
        const text = treeText(tree)
        const ids = [...sessions.all.keys()]
        const zxid = tree.lastProcessedZxid
        const timeouts = ids.map((id) => [id, 10_000] as const)
        const encoder = new SnapshotEncoder(new TreeDump(tree, timeouts, 'exact'), whole)
        const feed = new SliceFeed(encoder, 1 + prng.below(300))
        const bytes = fetchAll(feed, () => write({ tree, sessions, source }, prng.below(8)))
        const backup = read(bytes)
        expect(treeText(backup.tree)).toBe(text)
        expect([...backup.sessions]).toEqual(timeouts)
        expect(backup.zxid).toBe(zxid)
        expect(tree.beforeChange).toBeUndefined()
        expect(tree.aclListeners.size).toBe(0)
      }),
      { numRuns: 400 },
    )
  })

  it('is taken one at a time, and another when the first is done or given up', () => {
    const database = world(1, 50)
    const first = beginBackup(database, whole)
    expect(beginBackup(database, whole)).toBe('another backup is being taken')
    if (typeof first !== 'string') first.close()
    fetchAll(beginBackup(database, whole))
    write(database, 50)
    expect(treeText(read(fetchAll(beginBackup(database, whole))).tree)).toBe(
      treeText(database.tree),
    )
  })

  it('ends with a problem when the database is replaced', () => {
    const { tree } = world(2, 100)
    const encoder = new SnapshotEncoder(new TreeDump(tree, [], 'exact'), whole)
    const feed = new SliceFeed(encoder, 100)
    expect(feed.next()).toBeDefined()
    tree.adopt(new DataTree(rules, true))
    expect(feed.next()).toBeUndefined()
    expect(feed.problem).toContain('replaced')
    expect(tree.beforeChange).toBeUndefined()
  })

  it('is a snapshot that a server starts from', () => {
    const database = world(3, 100)
    const disk = new MemoryDisk({ 'snapshot.64': fetchAll(beginBackup(database, whole)) })
    const loaded = loadMember(disk, rules, silentLogger)
    expect(loaded).toMatchObject({ kind: 'loaded', lastZxid: 100 })
    if (loaded.kind === 'loaded') expect(treeText(loaded.tree)).toBe(treeText(database.tree))
  })
})

describe('reading a backup', () => {
  const database = world(4, 60)
  const bytes = fetchAll(beginBackup(database, whole))
  const text = treeText(database.tree)

  it('takes it packed, and cut into pieces anywhere', () => {
    const snappy = Buffer.concat([snappyHeader(), snappyBlocks(bytes)])
    for (const packed of [bytes, gzipSync(bytes), snappy])
      for (const size of [1, 7, 1000, packed.length]) {
        const pieces: Buffer[] = []
        for (let at = 0; at < packed.length; at += size) pieces.push(packed.subarray(at, at + size))
        const backup = readBackup(pieces, gunzip, rules, silentLogger)
        expect(typeof backup === 'string' ? backup : treeText(backup.tree)).toBe(text)
      }
  })

  it('refuses every byte that is flipped, and every cut but before what older servers lack', () => {
    const whole: number[] = []
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] ?? 0) ^ 0x41
      expect(typeof readBackup([damaged], gunzip, rules, silentLogger), `byte ${at}`).toBe('string')
      const backup = readBackup([bytes.subarray(0, at)], gunzip, rules, silentLogger)
      if (typeof backup === 'string') continue
      whole.push(bytes.length - at)
      expect(treeText(backup.tree)).toBe(text)
    }
    // The last zxid with its seal, and the digest with its own.
    expect(whole).toEqual([21 + 33, 21])
    expect(typeof readBackup([], gunzip, rules, silentLogger)).toBe('string')
    const more = readBackup([bytes, Buffer.from('more')], gunzip, rules, silentLogger)
    expect(typeof more).toBe('string')
  })

  it('says that it was taken of a changing database, where it was', () => {
    const changing = world(5, 100)
    const dump = new TreeDump(changing.tree, [])
    const feed = new SliceFeed(new SnapshotEncoder(dump, whole), 200)
    const told = new Told()
    let zxid = 0
    const fuzzy = fetchAll(feed, () => {
      zxid = changing.tree.lastProcessedZxid
      write(changing, 5)
    })
    expect(readBackup([fuzzy], gunzip, rules, told.logger)).toMatchObject({ zxid })
    expect(told.warnings.join()).toContain('while the database changed')
  })

  it("takes one of the original's", () => {
    const disk = goldenDisk('datadir-standalone')
    const names = disk.listSnapshots().map(({ name }) => name)
    expect(names.length).toBeGreaterThan(0)
    for (const name of names) {
      const file = disk.files.get(name) ?? Buffer.alloc(0)
      expect(readBackup([file], gunzip, rules, silentLogger)).toMatchObject({
        zxid: expect.any(Number),
      })
    }
  })
})

describe('a restored database', () => {
  it('is the backup, under a zxid that leaves a gap behind what was logged', () => {
    const database = world(6, 150)
    const text = treeText(database.tree)
    const sessions = [...database.sessions.all].map(([id, { timeoutMs }]) => [id, timeoutMs])
    const bytes = fetchAll(beginBackup(database, whole))
    write(database, 100)
    database.sessions.track(99n, 5000, 1000)
    for (const id of database.sessions.all.keys()) database.sessions.setClosing(id)
    const backup = read(bytes)
    const zxid = planRestoredZxid(250, backup)
    expect(zxid).toBe(251)
    expect(planRestoredZxid(10, backup)).toBe(151)
    replaceDatabase(database, backup, zxid, 500_000)
    expect(treeText(database.tree)).toBe(text)
    expect(database.tree.lastProcessedZxid).toBe(251)
    const now = [...database.sessions.all.values()]
    expect(now.map(({ id, timeoutMs }) => [id, timeoutMs])).toEqual(sessions)
    expect(now.every(({ closing, expiresMono }) => !closing && expiresMono >= 510_000)).toBe(true)
  })

  it('goes on taking writes, and snapshots, as any other', () => {
    const source = new MemoryServer()
    const writer = source.connect()
    for (let i = 0; i < 30; i += 1) writer.call(OpCode.create, create(`/n${i}`))
    const bytes = fetchAll(beginBackup(source.member, whole))
    const server = new MemoryServer({ settings: { snapCount: '100' } })
    const client = server.connect()
    client.call(OpCode.create, create('/other'))
    for (let i = 0; i < 50; i += 1) client.call(OpCode.setData, setData('/other', `v${i}`))
    const backup = read(bytes)
    const { tree } = server.member
    // One more than the zxid of the last txn would be right, but here nobody tells the member.
    expect(planRestoredZxid(tree.lastProcessedZxid, backup)).toBe(tree.lastProcessedZxid + 1)
    replaceDatabase(server.member, backup, tree.lastProcessedZxid, server.mono)
    const reader = server.connect()
    expect(reader.call(OpCode.getData, getData('/other')).err).toBe(-101)
    expect(reader.call(OpCode.setData, setData('/n7', 'after')).err).toBe(0)
    expect(reader.call(OpCode.delete, remove('/n8')).err).toBe(0)
    expect(reader.call(OpCode.create, create('/n30')).err).toBe(0)
    server.member.snapshotter.request()
    server.pass(50)
    const [snapshot] = [...server.snapshots].slice(-1)
    expect(treeText(read(snapshot?.[1] ?? Buffer.alloc(0)).tree)).toBe(treeText(tree))
    expect(server.logged.filter(({ level }) => level === 'error')).toEqual([])
  })
})
