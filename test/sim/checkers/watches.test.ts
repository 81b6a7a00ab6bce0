import { describe, expect, it } from 'vitest'
import { EventType } from '../../../src/data/watch-event.ts'
import { ClientWatches } from '../client-watches.ts'
import { History, type Op, type SessionLog } from '../history.ts'
import { Model } from '../model.ts'
import type { Story, TimedChange } from './replay.ts'
import { sessionLog } from './session-log.ts'
import { checkWatches } from './watches.ts'

/** A client with a recursive watch on /a since zxid 1. */
class Watcher {
  readonly history = new History()
  readonly watches = new ClientWatches()
  readonly session: SessionLog = sessionLog()

  constructor() {
    this.history.open(this.session)
    this.reply(1, { op: 'addWatch', path: '/a', recursive: true })
  }

  reply(zxid: number, call: Op['call'] = { op: 'ping' }, err = 0): void {
    const reply = { at: zxid, zxid, err, result: {} }
    const asked = { connection: 1, xid: 1, invokedAt: 0, seenBefore: 0 }
    const op: Op = { session: this.session, call, reply, ...asked }
    this.session.received.push({ kind: 'reply', op, zxid })
    this.watches.onReply(op)
  }

  event(zxid: number): void {
    this.watches.onEvent(this.session, EventType.NodeDataChanged, '/a/b', zxid)
  }

  check(): void {
    const change: TimedChange = { path: '/a/b', kind: 'changed', zxid: 5 }
    const story: Story = {
      model: new Model(),
      changes: new Map([['/a/b', [change]]]),
      zxidOf: new Map(),
      refused: new Set(),
      vague: new Set(),
      begun: new Map(),
      closed: new Map(),
      restores: [],
      gone: new Set(),
      reaped: 0,
      moved: 0,
    }
    checkWatches(this.history, story)
  }
}

describe('watches that stay', () => {
  it('tell before a reply shows the change', () => {
    const good = new Watcher()
    good.event(5)
    good.reply(5)
    good.check()
    const late = new Watcher()
    late.reply(5)
    late.event(5)
    expect(() => late.check()).toThrow(/watch before data: the persistent watch of client 1 on \/a/)
    const lost = new Watcher()
    lost.reply(6)
    expect(() => lost.check()).toThrow(/watch before data/)
  })

  it('miss what happens between two connections, and nothing once they are set anew', () => {
    const away = new Watcher()
    away.watches.onDisconnect(away.session)
    const again = away.watches.toSetAnew(1)
    expect(again).toMatchObject({ op: 'setWatches', recursive: ['/a'] })
    if (again !== undefined) away.reply(6, again)
    away.check()
    const back = new Watcher()
    back.watches.onDisconnect(back.session)
    if (again !== undefined) back.reply(2, again)
    back.reply(5)
    expect(() => back.check()).toThrow(/watch before data/)
  })

  it('tell nothing once they are removed, and can be removed once', () => {
    const watcher = new Watcher()
    watcher.reply(2, { op: 'removeWatches', path: '/a', recursive: true })
    watcher.reply(6)
    watcher.check()
    expect(() => watcher.event(7)).toThrow(/events have watches/)
    const again = { op: 'removeWatches', path: '/a', recursive: true } as const
    expect(() => watcher.reply(8, again)).toThrow(/watches stay until removed/)
  })
})
