import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { CreateMode } from '../../../src/data/create-mode.ts'
import { Err } from '../../../src/data/error-code.ts'
import { OpCode } from '../../../src/data/op-code.ts'
import type { Restored } from '../../../src/server/admin-database.ts'
import { RETRY_MS } from '../../../src/server/storage/snapshotter.ts'
import { MemoryEnsemble } from '../../support/memory-ensemble.ts'
import { type MemoryClient, MemoryServer } from '../../support/memory-server.ts'
import { create, exists } from '../../support/requests.ts'

const backupOf = (server: MemoryServer): Buffer[] => {
  const feed = server.member.database.beginBackup()
  if (typeof feed === 'string') throw new Error(feed)
  const slices: Buffer[] = []
  for (let slice = feed.next(); slice !== undefined; slice = feed.next()) slices.push(slice)
  return slices
}

const gunzip = (packed: Buffer): Buffer => gunzipSync(packed)

const restore = (server: MemoryServer, backup: readonly Buffer[]): Restored | undefined => {
  let restored: Restored | undefined
  server.loop.enter((member) =>
    member.database.restore(backup, gunzip, (outcome) => {
      restored = outcome
    }),
  )
  server.settle()
  return restored
}

const has = (client: MemoryClient, path: string): boolean =>
  client.call(OpCode.exists, exists(path)).err === Err.ok

describe('the database as a whole', () => {
  it('is what the backup says after a restore, on the disk, and takes writes again', () => {
    const server = new MemoryServer()
    const client = server.connect()
    client.call(OpCode.create, create('/kept'))
    client.call(OpCode.create, create('/mine', { flags: CreateMode.ephemeral }))
    const backup = backupOf(server)
    client.call(OpCode.create, create('/later'))
    const restored = restore(server, backup)
    expect(restored).toEqual({ zxid: 5 })
    expect([client.isClosed, [...server.snapshots.keys()]]).toEqual([true, ['snapshot.5']])
    const back = server.open()
    back.handshake({ sessionId: client.sessionId, passwd: client.passwd })
    expect(['/kept', '/mine', '/later'].map((path) => has(back, path))).toEqual([true, true, false])
    expect(back.call(OpCode.create, create('/after')).zxid).toBe(6)
  })

  it('is not touched by a backup that is damaged', () => {
    const server = new MemoryServer()
    const client = server.connect()
    client.call(OpCode.create, create('/kept'))
    const bytes = Buffer.concat(backupOf(server))
    bytes.writeUInt8(bytes.readUInt8(100) ^ 1, 100)
    expect(restore(server, [bytes])).toMatch(/checksum|node|seal/)
    expect([client.isClosed, has(client, '/kept')]).toEqual([false, true])
  })

  it('lets no client in before the restored one is on the disk', () => {
    const server = new MemoryServer()
    server.connect().call(OpCode.create, create('/kept'))
    const backup = backupOf(server)
    server.snapshotProblem = 'no space left'
    expect(restore(server, backup)).toMatch(/no space left/)
    const client = server.open()
    expect([client.handshake(), client.isClosed]).toEqual([undefined, true])
    // A restart brings the old one back, as was said: nothing more is tried once there is room.
    server.snapshotProblem = undefined
    server.pass(2 * RETRY_MS)
    expect([...server.snapshots.keys()]).toEqual([])
  })

  it('of a member is not replaced while the others have another one', () => {
    const ensemble = new MemoryEnsemble([1, 2, 3])
    const server = ensemble.server(ensemble.awaitLeader())
    expect(restore(server, backupOf(server))).toMatch(/standalone/)
  })
})
