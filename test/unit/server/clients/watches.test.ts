import { describe, expect, it } from 'vitest'
import { WATCHES_SWEPT_PER_TURN } from '../../../../src/base/limits.ts'
import { anyone, Perms } from '../../../../src/data/acl.ts'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { writeSetWatches, writeSetWatches2 } from '../../../../src/data/records.ts'
import { AddWatchMode, WatcherType } from '../../../../src/data/watch-event.ts'
import { eventsOf, storyOf } from '../../../support/answers.ts'
import { type MemoryClient, MemoryServer } from '../../../support/memory-server.ts'
import {
  type Body,
  create,
  exists,
  getChildren,
  getData,
  multi,
  pathAndInt,
  remove,
  setAcl,
  setData,
} from '../../../support/requests.ts'

function worldOf(...paths: string[]): { server: MemoryServer; one: MemoryClient } {
  const server = new MemoryServer()
  const one = server.connect()
  for (const path of paths) one.call(OpCode.create, create(path))
  return { server, one }
}

/** What comes back, as a story of events and of `done` for the reply. */
function told(client: MemoryClient, op: number, body: Body): unknown[] {
  const xid = client.send(op, body)
  return storyOf(client.takeReplies()).map((what) => (what === xid ? 'done' : what))
}

describe('an event', () => {
  it('comes before the reply to the write that caused it, node before parent', () => {
    const { one } = worldOf('/a')
    one.call(OpCode.exists, exists('/a/b', true))
    one.call(OpCode.getChildren, getChildren('/a', true))
    expect(told(one, OpCode.create, create('/a/b'))).toEqual([
      'created /a/b',
      'childrenChanged /a',
      'done',
    ])
    one.call(OpCode.getData, getData('/a/b', true))
    expect(told(one, OpCode.setData, setData('/a/b', 'x'))).toEqual(['dataChanged /a/b', 'done'])
    expect(told(one, OpCode.setData, setData('/a/b', 'y'))).toEqual(['done'])
  })

  it('comes before the reply to a read that sees the change', () => {
    const { server, one } = worldOf('/a')
    const watcher = server.connect()
    watcher.call(OpCode.getData, getData('/a', true))
    server.isDiskHeld = true
    one.send(OpCode.setData, setData('/a', 'new'))
    watcher.send(OpCode.sync, (w) => w.writeString('/a'))
    watcher.send(OpCode.getData, getData('/a'))
    server.isDiskHeld = false
    server.releaseDisk()
    const replies = watcher.takeReplies()
    expect(replies[2]?.body.readBuffer().toString()).toBe('new')
    expect(storyOf(replies).map((what) => typeof what)).toEqual(['string', 'number', 'number'])
  })

  it('carries the zxid of its txn', () => {
    const { one } = worldOf('/a')
    one.call(OpCode.exists, exists('/a', true))
    one.send(OpCode.setData, setData('/a', 'x'))
    const [event, reply] = one.takeReplies()
    expect(event).toMatchObject({ xid: -1, err: 0, zxid: reply?.zxid })
  })

  it('is one to each connection, and none to one that has closed', () => {
    const { server, one } = worldOf('/a')
    const [two, gone] = [server.connect(), server.connect()]
    for (const client of [one, two, gone]) {
      client.call(OpCode.getData, getData('/a', true))
      client.call(OpCode.getChildren, getChildren('/a', true))
    }
    gone.vanish()
    one.send(OpCode.delete, remove('/a'))
    expect([one, two, gone].map((client) => eventsOf(client.takeReplies()))).toEqual([
      ['deleted /a'],
      ['deleted /a'],
      [],
    ])
    expect(server.member.watches.table.watchCount).toBe(0)
  })

  it('of a missing node is for exists alone', () => {
    const { server, one } = worldOf()
    for (const op of [OpCode.getData, OpCode.getChildren, OpCode.getChildren2])
      expect(one.call(op, getData('/none', true)).err).toBe(Err.noNode)
    expect(server.member.watches.table.watchCount).toBe(0)
    expect(one.call(OpCode.exists, exists('/none', true)).err).toBe(Err.noNode)
    expect(server.member.watches.table.watchCount).toBe(1)
  })

  it('fires for each part of a multi, and not for one that failed', () => {
    const { one } = worldOf('/a')
    one.call(OpCode.addWatch, pathAndInt('/a', AddWatchMode.PersistentRecursive))
    const parts = [
      [OpCode.create, create('/a/b')],
      [OpCode.setData, setData('/a/b', 'x')],
      [OpCode.delete, remove('/a/b')],
    ] as const
    expect(told(one, OpCode.multi, multi(parts))).toEqual([
      'created /a/b',
      'dataChanged /a/b',
      'deleted /a/b',
      'done',
    ])
    const failing = multi([...parts, [OpCode.delete, remove('/none')]])
    expect(told(one, OpCode.multi, failing)).toEqual(['done'])
  })

  it('of an ephemeral comes when its session ends', () => {
    const { server, one } = worldOf('/a')
    const owner = server.connect()
    owner.call(OpCode.create, create('/a/e', { flags: 1 }))
    one.call(OpCode.exists, exists('/a/e', true))
    one.call(OpCode.getChildren2, getChildren('/a', true))
    owner.send(OpCode.closeSession)
    expect(eventsOf(one.takeReplies())).toEqual(['deleted /a/e', 'childrenChanged /a'])
  })
})

describe('an event goes to those who may read', () => {
  const noRead = [{ perms: Perms.all & ~Perms.read, id: anyone }]

  it('the node, for what happens to it; the parent, for its list of children', () => {
    const { one } = worldOf('/open', '/closed')
    one.call(OpCode.setACL, setAcl('/closed', noRead))
    for (const path of ['/open', '/closed'])
      one.call(OpCode.addWatch, pathAndInt(path, AddWatchMode.Persistent))
    const closedChild = create('/open/x', { acl: noRead })
    one.call(OpCode.addWatch, pathAndInt('/open/x', AddWatchMode.Persistent))
    expect(told(one, OpCode.create, closedChild)).toEqual(['childrenChanged /open', 'done'])
    expect(told(one, OpCode.setData, setData('/open/x', 'x'))).toEqual(['done'])
    expect(told(one, OpCode.delete, remove('/open/x'))).toEqual(['childrenChanged /open', 'done'])
    expect(told(one, OpCode.create, create('/closed/x'))).toEqual(['done'])
    expect(told(one, OpCode.setData, setData('/closed', 'x'))).toEqual(['done'])
    expect(told(one, OpCode.setData, setData('/open', 'x'))).toEqual(['dataChanged /open', 'done'])
  })

  it('and a watch is used up though its event was withheld', () => {
    const { server, one } = worldOf('/a')
    one.call(OpCode.getData, getData('/a', true))
    one.call(OpCode.setACL, setAcl('/a', noRead))
    expect(told(one, OpCode.setData, setData('/a', 'x'))).toEqual(['done'])
    expect(server.member.watches.table.watchCount).toBe(0)
  })

  it('and no watch is set by a read that is refused', () => {
    const { server, one } = worldOf('/a')
    one.call(OpCode.setACL, setAcl('/a', noRead))
    for (const op of [OpCode.getData, OpCode.exists, OpCode.getChildren])
      expect(one.call(op, getData('/a', true)).err).toBe(Err.noAuth)
    expect(server.member.watches.table.watchCount).toBe(0)
  })
})

describe('setWatches', () => {
  /** Since when the client has seen nothing. */
  function since(
    relativeZxid: number,
    data: string[],
    exist: string[] = [],
    child: string[] = [],
  ): Body {
    return (w) =>
      writeSetWatches(w, {
        relativeZxid,
        dataWatches: data,
        existWatches: exist,
        childWatches: child,
      })
  }

  it('catches up on data, exists and children in this order, before its reply', () => {
    const { server, one } = worldOf('/a', '/b')
    const zxid = server.member.tree.lastProcessedZxid
    one.call(OpCode.setData, setData('/a', 'x'))
    one.call(OpCode.create, create('/b/c'))
    const all = ['/none', '/a', '/b']
    const client = server.connect()
    expect(told(client, OpCode.setWatches, since(zxid, all, all, all))).toEqual([
      'deleted /none',
      'dataChanged /a',
      'created /a',
      'created /b',
      'deleted /none',
      'childrenChanged /b',
      'done',
    ])
    // What it had not missed is watched now.
    const { table } = server.member.watches
    expect(table.contains('/b', WatcherType.Data, cnxnOf(server, client))).toBe(true)
    expect(table.contains('/none', WatcherType.Data, cnxnOf(server, client))).toBe(true)
    expect(table.contains('/a', WatcherType.Children, cnxnOf(server, client))).toBe(true)
    expect(table.watchCount).toBe(3)
  })

  it('compares with the zxid of the change itself: that one is known', () => {
    const { server, one } = worldOf('/a')
    one.call(OpCode.setData, setData('/a', 'x'))
    const zxid = server.member.tree.lastProcessedZxid
    expect(told(one, OpCode.setWatches, since(zxid, ['/a']))).toEqual(['done'])
    expect(told(one, OpCode.setWatches, since(zxid - 1, ['/a']))).toEqual([
      'dataChanged /a',
      'done',
    ])
  })

  it('marks what it catches up on with zxid -1: it belongs to no txn', () => {
    const { one } = worldOf('/a')
    one.send(OpCode.setWatches, since(0, ['/a']))
    expect(one.takeReplies()[0]).toMatchObject({ xid: -1, zxid: -1 })
  })

  it('2 sets persistent watches too, which catch up on nothing', () => {
    const { one } = worldOf('/a', '/b')
    const body: Body = (w) =>
      writeSetWatches2(w, {
        relativeZxid: 0,
        dataWatches: [],
        existWatches: [],
        childWatches: [],
        persistentWatches: ['/a', '/none'],
        persistentRecursiveWatches: ['/b'],
      })
    expect(told(one, OpCode.setWatches2, body)).toEqual(['done'])
    for (let i = 0; i < 2; i += 1) {
      expect(told(one, OpCode.setData, setData('/a', 'x'))).toEqual(['dataChanged /a', 'done'])
      expect(told(one, OpCode.create, create(`/b/${i}`))).toEqual([`created /b/${i}`, 'done'])
      expect(told(one, OpCode.create, create(`/a/${i}`))).toEqual(['childrenChanged /a', 'done'])
    }
  })

  it('says nothing about nodes that the client may not read', () => {
    const { one } = worldOf('/a')
    one.call(OpCode.setACL, setAcl('/a', [{ perms: Perms.admin, id: anyone }]))
    expect(told(one, OpCode.setWatches, since(0, ['/a'], ['/a'], ['/a']))).toEqual(['done'])
  })

  it('that does not decode sets nothing, and tells nothing', () => {
    const { server, one } = worldOf('/a')
    const body: Body = (w) => {
      since(0, ['/a'])(w)
      w.truncate(w.length - 4)
    }
    expect(one.call(OpCode.setWatches, body).err).toBe(Err.marshallingError)
    expect(server.member.watches.table.watchCount).toBe(0)
  })
})

function cnxnOf(server: MemoryServer, client: MemoryClient) {
  const cnxn = server.member.clients.get(client.id)
  if (cnxn === undefined) throw new Error('no connection')
  return cnxn
}

describe('addWatch, checkWatches and removeWatches', () => {
  it('answer addWatch with a body, whether the node is there or not', () => {
    const { one } = worldOf()
    const reply = one.call(OpCode.addWatch, pathAndInt('/none', AddWatchMode.Persistent))
    expect([reply.err, reply.body.remaining, reply.body.readInt()]).toEqual([Err.ok, 4, Err.ok])
  })

  it.each([-1, 2, 99])('refuse mode %d', (mode) => {
    const { server, one } = worldOf()
    expect(one.call(OpCode.addWatch, pathAndInt('/', mode)).err).toBe(Err.marshallingError)
    expect(server.member.watches.table.watchCount).toBe(0)
  })

  it('know which types of watch are there, and take them away', () => {
    const { one } = worldOf('/a')
    one.call(OpCode.getData, getData('/a', true))
    one.call(OpCode.addWatch, pathAndInt('/a', AddWatchMode.PersistentRecursive))
    const ask = (op: number, type: number): number => one.call(op, pathAndInt('/a', type)).err
    const { ok, noWatcher } = Err
    const types = [
      WatcherType.Children,
      WatcherType.Data,
      WatcherType.Any,
      WatcherType.Persistent,
      WatcherType.PersistentRecursive,
    ]
    const there = types.map((type) => ask(OpCode.checkWatches, type))
    expect(there).toEqual([noWatcher, ok, ok, noWatcher, ok])
    expect(types.map((type) => ask(OpCode.removeWatches, type))).toEqual([
      noWatcher,
      ok,
      ok,
      noWatcher,
      noWatcher,
    ])
    expect(told(one, OpCode.setData, setData('/a', 'x'))).toEqual(['done'])
  })

  it.each([0, 6, -1])('refuse type %d', (type) => {
    const { one } = worldOf('/a')
    for (const op of [OpCode.checkWatches, OpCode.removeWatches])
      expect(one.call(op, pathAndInt('/a', type)).err).toBe(Err.marshallingError)
  })

  it('speak of the own watches only', () => {
    const { server, one } = worldOf('/a')
    one.call(OpCode.getData, getData('/a', true))
    const other = server.connect()
    expect(other.call(OpCode.checkWatches, pathAndInt('/a', 2)).err).toBe(Err.noWatcher)
    expect(other.call(OpCode.removeWatches, pathAndInt('/a', 3)).err).toBe(Err.noWatcher)
    expect(told(one, OpCode.setData, setData('/a', 'x'))).toEqual(['dataChanged /a', 'done'])
  })
})

describe('the watches of a client that goes', () => {
  /** Whether the turn in which it goes leaves something to do for the next one. */
  function isSweptOverTurns(watches: number): boolean[] {
    const { server, one } = worldOf()
    const { member } = server
    const cnxn = member.clients.cnxnOf(one.sessionId)
    for (let n = 0; cnxn !== undefined && n < watches; n += 1)
      member.watches.table.addData(`/n${n}`, cnxn)
    expect(member.watches.table.watchCount).toBe(watches)
    member.sockets.onClosed(one.id)
    expect(member.watches.table.watchCount).toBe(0)
    return [0, 1].map(() => {
      member.endTurn()
      return member.wantsTurn
    })
  }

  it('are cleared away in turns of so many', () => {
    expect(isSweptOverTurns(WATCHES_SWEPT_PER_TURN)).toEqual([false, false])
    expect(isSweptOverTurns(WATCHES_SWEPT_PER_TURN + 1)).toEqual([true, false])
    expect(isSweptOverTurns(2 * WATCHES_SWEPT_PER_TURN + 1)).toEqual([true, true])
  })
})
