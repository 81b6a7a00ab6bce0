import { JuteReader } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { Perms } from '../../../../src/data/acl.ts'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { type ACL, type Id, readTxnHeader, writeAuthPacket } from '../../../../src/data/records.ts'
import { readTxn, type Txn } from '../../../../src/data/txn.ts'
import { RECORD_PREFIX_BYTES } from '../../../../src/persistence/txn-log-format.ts'
import { loadMember } from '../../../../src/server/storage/load.ts'
import { partsOf } from '../../../support/answers.ts'
import { Decider } from '../../../support/decider.ts'
import { logFile, MemoryDisk } from '../../../support/memory-disk.ts'
import { type MemoryClient, MemoryServer } from '../../../support/memory-server.ts'
import { create, multi, setAcl } from '../../../support/requests.ts'

const FRAME_BYTES_MAX = 4096
const TXN_BYTES_MAX = 2 * FRAME_BYTES_MAX
const authAcl: readonly ACL[] = [{ perms: Perms.all, id: { scheme: 'auth', id: '' } }]

const serverOf = (): MemoryServer =>
  new MemoryServer({ limits: { frameBytesMax: FRAME_BYTES_MAX } })

function login(client: MemoryClient, user: string): number {
  const packet = { type: 0, scheme: 'digest', auth: Buffer.from(`${user}:pw`) }
  return client.call(OpCode.auth, (w) => writeAuthPacket(w, packet), -4).err
}

/** The records that went to the log, each without what surrounds it there. */
function entriesOf(server: MemoryServer): Buffer[] {
  const entries: Buffer[] = []
  for (const op of server.diskOps) {
    if (op.kind !== 'appendTxns') continue
    for (let at = 0; at < op.bytes.length; ) {
      const length = op.bytes.readInt32BE(at + 8)
      entries.push(op.bytes.subarray(at + RECORD_PREFIX_BYTES, at + RECORD_PREFIX_BYTES + length))
      at += RECORD_PREFIX_BYTES + length + 1
    }
  }
  return entries
}

function txnOf(entry: Buffer): Txn | undefined {
  const r = new JuteReader(entry)
  return readTxn(r, readTxnHeader(r).type)
}

const longest = (server: MemoryServer): number =>
  Math.max(...entriesOf(server).map((entry) => entry.length))

describe('a txn', () => {
  it('does not grow beyond what a log may hold by what `auth` stands for', () => {
    const server = serverOf()
    const client = server.connect()
    for (let i = 0; i < 10; i += 1) expect(login(client, `${'u'.repeat(150)}${i}`)).toBe(Err.ok)
    const reply = client.call(
      OpCode.multi,
      multi(Array.from({ length: 40 }, (_, i) => [1, create(`/n${i}`, { acl: authAcl })] as const)),
    )
    const errs = partsOf(reply).map(({ err }) => err)
    expect(errs).toContain(Err.invalidACL)
    expect(server.member.tree.node('/n0')).toBeUndefined()
    expect(longest(server)).toBeLessThanOrEqual(TXN_BYTES_MAX)
    // One alone fits.
    expect(client.call(OpCode.create, create('/n', { acl: authAcl })).err).toBe(Err.ok)
  })

  it('is refused at one byte more than twice jute.maxbuffer, and logged at that', () => {
    const ids: Id[] = [{ scheme: 'digest', id: 'u'.repeat(FRAME_BYTES_MAX / 2) }]
    const asker = { sessionId: 7n, ids }
    // Once as part of an ACL, once as data that a member with a larger jute.maxbuffer lets through.
    const errOf = (dataBytes: number): number => {
      const decider = new Decider({ 'jute.maxbuffer': `${FRAME_BYTES_MAX}` }, FRAME_BYTES_MAX)
      const data = Buffer.alloc(dataBytes)
      return decider.refusal(OpCode.create, create('/n', { data, acl: authAcl }), asker)
    }
    const HEADER_AND_DIGEST_BYTES = 32 + 12
    const besidesData = HEADER_AND_DIGEST_BYTES + 4 + 2 + 4 + 4 + (4 + 4 + 6 + 4 + 2048) + 1 + 4
    expect(errOf(TXN_BYTES_MAX - besidesData)).toBe(Err.ok)
    expect(errOf(TXN_BYTES_MAX - besidesData + 1)).toBe(Err.badArguments)
  })

  it('of a forwarded write has the same bound, whoever the learner says that its client is', () => {
    const decider = new Decider({}, FRAME_BYTES_MAX)
    const ids: Id[] = Array.from({ length: 3 }, (_, i) => ({
      scheme: 'digest',
      id: `${i}${'x'.repeat(FRAME_BYTES_MAX / 2)}`,
    }))
    const asker = { sessionId: 7n, ids }
    expect(decider.refusal(OpCode.create, create('/n', { acl: authAcl }), asker)).toBe(
      Err.invalidACL,
    )
    expect(decider.refusal(OpCode.setACL, setAcl('/zookeeper', authAcl), asker)).toBe(
      Err.invalidACL,
    )
  })
})

describe('the identities of a connection', () => {
  it('may have so many bytes together', () => {
    const server = new MemoryServer({ limits: { cnxnIdBytesMax: 200 } })
    // 127.0.0.1 by ip, and a hash of 28 characters behind `user:`.
    const taken = 'ip'.length + '127.0.0.1'.length + 'digest'.length + ':'.length + 28
    expect(login(server.connect(), 'u'.repeat(200 - taken))).toBe(Err.ok)
    expect(login(server.connect(), 'u'.repeat(200 - taken + 1))).toBe(Err.authFailed)
  })

  it('are refused by default before they fill a frame', () => {
    const client = new MemoryServer().connect()
    expect(login(client, 'u'.repeat(10_000))).toBe(Err.ok)
    expect(login(client, 'v'.repeat(10_000))).toBe(Err.authFailed)
  })
})

describe('the end of a session', () => {
  const withEphemerals = (server: MemoryServer, count: number): MemoryClient => {
    const client = server.connect()
    for (let i = 0; i < count; i += 1)
      client.call(OpCode.create, create(`/e${i}-${'n'.repeat(500)}`, { flags: 1 }))
    return client
  }

  it('with more ephemerals than fit in a txn takes several of them', () => {
    const server = serverOf()
    const client = withEphemerals(server, 100)
    const other = server.connect()
    expect(client.call(OpCode.closeSession).err).toBe(Err.ok)
    expect(client.isClosed).toBe(true)
    expect(server.member.tree.ephemeralsCount).toBe(0)
    expect(longest(server)).toBeLessThanOrEqual(TXN_BYTES_MAX)
    const txns = entriesOf(server).map(txnOf)
    const last = txns.at(-1)
    expect(last?.type).toBe(OpCode.closeSession)
    // What a multi has deleted is not listed again; what is left is, as ever.
    expect(last?.type === OpCode.closeSession && last.paths2Delete?.length).toBeGreaterThan(0)
    expect(other.isClosed).toBe(false)
    // They ask for nobody: no learner may take them for the answer to a client.
    for (const entry of entriesOf(server)) {
      const header = readTxnHeader(new JuteReader(entry))
      if (header.type === OpCode.multi) expect(header.clientId).toBe(0n)
    }
  })

  it('is one txn as long as it fits', () => {
    const server = serverOf()
    const before = withEphemerals(server, 5)
    const zxid = server.member.tree.lastProcessedZxid
    before.call(OpCode.closeSession)
    expect(server.member.tree.lastProcessedZxid).toBe(zxid + 1)
  })

  it('is replayed from the log to the same state', () => {
    const server = serverOf()
    withEphemerals(server, 50).call(OpCode.closeSession)
    const appended = server.diskOps.flatMap((op) => (op.kind === 'appendTxns' ? [op.bytes] : []))
    const rules = { extendedTypesEnabled: false, emulate353TtlNodes: false, digestEnabled: true }
    const logger = { debug() {}, info() {}, warn() {}, error() {} }
    const loaded = loadMember(new MemoryDisk({ 'log.1': logFile(appended) }), rules, logger)
    if (loaded.kind !== 'loaded') throw new Error(loaded.reason)
    expect(loaded.tree.digest.toBigInt()).toBe(server.member.tree.digest.toBigInt())
    expect(loaded.sessions.size).toBe(0)
  })
})
