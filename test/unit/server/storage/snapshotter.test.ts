import { describe, expect, it } from 'vitest'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { type Loaded, loadMember } from '../../../../src/server/storage/load.ts'
import { RETRY_MS } from '../../../../src/server/storage/snapshotter.ts'
import { MemoryDisk } from '../../../support/memory-disk.ts'
import { MemoryServer } from '../../../support/memory-server.ts'
import { create, getData, setData } from '../../../support/requests.ts'
import { silentLogger } from '../../../support/silent-logger.ts'
import { treeText } from '../../../support/tree-text.ts'

const rules = {
  extendedTypesEnabled: false,
  emulate353TtlNodes: false,
  digestEnabled: true,
  snapshotTrustEmpty: false,
  mayCreate: true,
}

function metricsOf(server: MemoryServer): string {
  const lines: string[] = []
  server.member.metrics.registry.dump((name, value) => lines.push(`${name} ${value}`))
  return lines.join('\n')
}

function load(server: MemoryServer): Loaded {
  const disk = new MemoryDisk(Object.fromEntries(server.snapshots))
  const loaded = loadMember(disk, rules, silentLogger)
  if (loaded.kind === 'refused') throw new Error(loaded.reason)
  return loaded
}

describe.each(['', 'snappy'])('snapshots packed as "%s"', (method) => {
  const settings = { snapCount: '10', 'snapshot.compression.method': method }

  it('are taken after half of snapCount txns at the earliest, and hold the state', () => {
    const server = new MemoryServer({ settings })
    const client = server.connect()
    for (let i = 0; i < 4; i += 1) client.call(OpCode.create, create(`/n${i}`))
    expect(server.snapshots.size).toBe(0)
    for (let i = 0; i < 7; i += 1) client.call(OpCode.setData, setData('/n1', `v${i}`))
    expect(server.snapshots.size).toBe(1)
    expect(server.diskOps.filter(({ kind }) => kind === 'rollLog')).toHaveLength(1)
    for (let i = 0; i < 40; i += 1) client.call(OpCode.setData, setData('/n2', `v${i}`))
    expect(server.snapshots.size).toBeGreaterThanOrEqual(4)
    server.member.snapshotter.request()
    server.pass(50)
    const loaded = load(server)
    expect(treeText(loaded.tree)).toBe(treeText(server.member.tree))
    expect([...loaded.sessions]).toEqual([[client.sessionId, 10_000]])
    expect(loaded.lastZxid).toBe(server.member.tree.lastProcessedZxid)
  })
})

describe('an observer that keeps no log', () => {
  const settings = {
    'server.1': '127.0.0.1:2881:3881',
    'server.2': '127.0.0.1:2882:3882',
    'server.4': '127.0.0.1:2884:3884:observer',
    myid: '4',
    peerType: 'observer',
    initLimit: '10',
    syncLimit: '5',
    syncEnabled: 'false',
  }

  it('has in a snapshot what there was at one moment: nothing repairs it', () => {
    const server = new MemoryServer({ settings })
    const client = server.connect()
    for (let i = 0; i < 200; i += 1)
      client.call(OpCode.create, create(`/n${i}`, { data: Buffer.alloc(3000) }))
    const [before, { lastProcessedZxid }] = [treeText(server.member.tree), server.member.tree]
    server.isSnapshotHeld = true
    server.member.snapshotter.request()
    server.pass(50)
    for (let i = 0; i < 200; i += 3) client.call(OpCode.setData, setData(`/n${i}`, 'later'))
    client.call(OpCode.create, create('/later'))
    server.isSnapshotHeld = false
    server.settle()
    const loaded = load(server)
    expect([loaded.lastZxid, treeText(loaded.tree)]).toEqual([lastProcessedZxid, before])
  })

  it('waits with a snapshot for a backup that is being taken', () => {
    const server = new MemoryServer({ settings })
    const backup = server.member.database.beginBackup()
    if (typeof backup === 'string') throw new Error(backup)
    server.member.snapshotter.request()
    server.pass(50)
    expect(server.snapshots.size).toBe(0)
    backup.close()
    server.pass(50)
    expect(server.snapshots.size).toBe(1)
  })
})

describe('taking snapshots', () => {
  it('goes on one at a time, and serves meanwhile', () => {
    const server = new MemoryServer({ settings: { snapCount: '10' } })
    const client = server.connect()
    client.call(OpCode.create, create('/n'))
    server.isSnapshotHeld = true
    for (let i = 0; i < 50; i += 1) client.call(OpCode.setData, setData('/n', `v${i}`))
    expect(server.member.snapshotter.isBusy).toBe(true)
    expect(client.call(OpCode.getData, getData('/n')).err).toBe(Err.ok)
    expect(server.diskOps.filter(({ kind }) => kind === 'rollLog')).toHaveLength(1)
    server.isSnapshotHeld = false
    server.settle()
    expect(server.snapshots.size).toBe(1)
    client.call(OpCode.setData, setData('/n', 'one more'))
    expect(server.snapshots.size).toBe(2)
  })

  it('gives a snapshot its name when the log holds all that it shows, and not before', () => {
    const server = new MemoryServer()
    const client = server.connect()
    server.isDiskHeld = true
    client.send(OpCode.create, create('/n'))
    server.member.snapshotter.request()
    server.pass(100)
    expect([server.member.snapshotter.isBusy, server.snapshots.size]).toEqual([true, 0])
    server.isDiskHeld = false
    server.settle()
    expect([server.member.snapshotter.isBusy, server.snapshots.size]).toEqual([false, 1])
  })

  it('survives a failure, tells it, and tries again later', () => {
    const server = new MemoryServer({ settings: { snapCount: '10' } })
    const client = server.connect()
    client.call(OpCode.create, create('/n'))
    server.snapshotProblem = 'ENOSPC: no space left on device'
    for (let i = 0; i < 30; i += 1) client.call(OpCode.setData, setData('/n', `v${i}`))
    expect(server.logged).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        fields: expect.objectContaining({ reason: 'ENOSPC: no space left on device' }),
      }),
    )
    expect(server.snapshots.size).toBe(0)
    server.snapshotProblem = undefined
    server.pass(RETRY_MS / 2)
    expect(server.snapshots.size).toBe(0)
    server.pass(RETRY_MS / 2 + 100)
    expect(server.snapshots.size).toBe(1)
  })
})

describe('a snapshot that somebody waits for', () => {
  function begun(): { server: MemoryServer; outcomes: (string | undefined)[] } {
    const server = new MemoryServer()
    const client = server.connect()
    for (let i = 0; i < 5; i += 1) client.call(OpCode.create, create(`/n${i}`))
    server.isSnapshotHeld = true
    server.member.snapshotter.request()
    server.pass(50)
    expect(server.member.snapshotter.isBusy).toBe(true)
    const outcomes: (string | undefined)[] = []
    return { server, outcomes }
  }

  it('is one that begins after it was asked for', () => {
    const { server, outcomes } = begun()
    server.member.snapshotter.requestNow((problem) => outcomes.push(problem))
    for (let step = 0; step < 3; step += 1) {
      expect(outcomes).toEqual([])
      server.stepSnapshot()
      server.settle()
    }
    expect([...server.snapshots.keys()]).toHaveLength(1)
    expect(outcomes).toEqual([])
    server.isSnapshotHeld = false
    server.settle()
    server.pass(50)
    expect(outcomes).toEqual([undefined])
  })

  it('is told of as failed, and not put off by an earlier failure', () => {
    const { server, outcomes } = begun()
    server.isSnapshotHeld = false
    server.snapshotProblem = 'ENOSPC: no space left on device'
    server.settle()
    server.member.snapshotter.requestNow((problem) => outcomes.push(problem))
    server.pass(50)
    expect(outcomes).toEqual(['ENOSPC: no space left on device'])
    server.snapshotProblem = undefined
    server.member.snapshotter.requestNow((problem) => outcomes.push(problem))
    server.pass(50)
    expect(outcomes.slice(1)).toEqual([undefined])
    expect(server.snapshots.size).toBe(1)
  })

  it.each([1, 2])('is of the new database if it is replaced after %d steps', (steps) => {
    const { server, outcomes } = begun()
    for (let step = 1; step < steps; step += 1) {
      server.stepSnapshot()
      server.settle()
    }
    const other = new MemoryServer()
    const client = other.connect()
    for (let i = 0; i < 40; i += 1) client.call(OpCode.create, create(`/other${i}`))
    const { tree } = server.member
    tree.adopt(other.member.tree)
    server.member.snapshotter.requestNow((problem) => outcomes.push(problem))
    server.isSnapshotHeld = false
    server.settle()
    server.pass(50)
    expect(outcomes).toEqual([undefined])
    expect([...server.snapshots.keys()]).toEqual(['snapshot.29'])
    // Its ephemerals are none, so that the sessions, which this test leaves alone, do not matter.
    expect(treeText(load(server).tree)).toBe(treeText(tree))
    expect(server.logged.map(({ level }) => level)).not.toContain('warn')
  })
})

describe('a disk that is nearly full', () => {
  it('refuses writes in their order, reads and sessions go on, and writes come back', () => {
    const server = new MemoryServer({ settings: { freeSpaceMinInKb: '1000' } })
    const client = server.connect()
    client.call(OpCode.create, create('/n'))
    const measure = (bytes: number): void => {
      server.loop.enter((member) => member.onFreeSpace(bytes))
      server.settle()
    }
    measure(1_024_000)
    server.isDiskHeld = true
    client.send(OpCode.setData, setData('/n', 'durable'))
    measure(1_023_999)
    client.send(OpCode.setData, setData('/n', 'refused'))
    client.send(OpCode.getData, getData('/n'))
    expect(client.takeReplies()).toEqual([])
    server.isDiskHeld = false
    server.settle()
    expect(client.takeReplies().map(({ err }) => err)).toEqual([Err.ok, Err.systemError, Err.ok])
    const other = server.connect()
    expect(other.call(OpCode.create, create('/m')).err).toBe(Err.systemError)
    expect(other.call(OpCode.closeSession).err).toBe(Err.ok)
    expect(metricsOf(server)).toContain('low_space_writes_refused 2')
    measure(1_100_000)
    expect(client.call(OpCode.create, create('/m')).err).toBe(Err.systemError)
    measure(1_300_000)
    expect(client.call(OpCode.create, create('/m')).err).toBe(Err.ok)
    expect(server.logged.map(({ level }) => level)).toContain('error')
  })
})
