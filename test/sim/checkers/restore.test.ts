import { describe, expect, it } from 'vitest'
import { OpCode } from '../../../src/data/op-code.ts'
import type { Txn } from '../../../src/data/txn.ts'
import { History, type Op, type SessionLog, type WriteCall } from '../history.ts'
import type { LedgerEntry } from '../ledger.ts'
import type { Restored } from '../restores.ts'
import { replay } from './replay.ts'
import { sessionLog } from './session-log.ts'

/** Session 7 creates /a at 2; a backup is taken; session 8 begins at 3, 7 sets /a at 4; restored at 6. */
const BACKUP_ZXID = 2
const RESTORED_ZXID = 6

const entry = (zxid: number, clientId: bigint, cxid: number, txn: Txn): LedgerEntry => ({
  zxid,
  clientId,
  cxid,
  time: 0,
  txn,
  digest: undefined,
  firstAt: zxid,
})

const begin = (zxid: number, id: bigint): LedgerEntry =>
  entry(zxid, id, 0, { type: OpCode.createSession, timeOut: 1000 })

const set: WriteCall = { op: 'setData', path: '/a', data: 'new', version: -1 }

class Scene {
  readonly history = new History()
  readonly kept: SessionLog = { ...sessionLog(1), id: 7n }
  readonly lost: SessionLog = { ...sessionLog(2), id: 8n }
  readonly #entries: LedgerEntry[] = [begin(1, 7n)]
  #xid = 0

  constructor() {
    this.history.open(this.kept)
    this.history.open(this.lost)
    this.#op(this.kept, { op: 'create', path: '/a', data: 'old', flags: 0, acl: 'open' }, 2, {})
    const data = Buffer.from('old')
    const created = {
      path: '/a',
      data,
      acl: [],
      ephemeral: false,
      parentCVersion: 1,
      ttl: 0n,
    }
    this.#entries.push(entry(2, 7n, 1, { type: OpCode.create, ...created }), begin(3, 8n))
    this.#op(this.kept, set, 4, {})
    this.#set(4)
  }

  #set(zxid: number): void {
    const data = Buffer.from('new')
    this.#entries.push(
      entry(zxid, 7n, this.#xid, { type: OpCode.setData, path: '/a', data, version: 1 }),
    )
  }

  #op(session: SessionLog, call: Op['call'], zxid: number, result: object): void {
    this.#xid += 1
    const op = { session, connection: 1, xid: this.#xid, call, invokedAt: 0, seenBefore: 0 }
    const done: Op = { ...op, reply: undefined }
    this.history.invoke(done)
    this.history.onReply(done, { at: zxid, zxid, err: 0, result })
  }

  read(session: SessionLog, zxid: number, data: string): this {
    this.#op(session, { op: 'getData', path: '/a', watch: false }, zxid, { data })
    return this
  }

  setAgain(zxid: number): this {
    this.#op(this.kept, set, zxid, {})
    this.#set(zxid)
    return this
  }

  judge(sessions: readonly bigint[] = [7n]): ReturnType<typeof replay> {
    const backup = { zxid: BACKUP_ZXID, slices: [], digest: 0n, sessions: new Set(sessions) }
    const restored: Restored = { from: 4, zxid: RESTORED_ZXID, backup }
    return replay(this.history, this.#entries, false, [restored])
  }
}

describe('a history with a restore', () => {
  it('is judged by the old database before it, and by the backup from then on', () => {
    const scene = new Scene()
    scene.read(scene.lost, 4, 'new').read(scene.kept, 6, 'old').setAgain(7)
    const { gone, model } = scene.read(scene.kept, 7, 'new').judge()
    expect([...gone]).toEqual([8n])
    expect([...model.sessions.keys()]).toEqual([7n])
    const { result } = model.read({ op: 'getData', path: '/a', watch: false }, 7n)
    expect([result.data, result.stat?.version]).toEqual(['new', 1])
  })

  it('shows nothing of the database that was replaced', () => {
    const scene = new Scene()
    scene.read(scene.kept, 6, 'new')
    expect(() => scene.judge()).toThrow(/reads show a state.*data new, not old/)
  })

  it('has no answer for a session that the backup lacks', () => {
    const scene = new Scene()
    scene.read(scene.lost, 6, 'old')
    expect(() => scene.judge()).toThrow(/a restore is the backup.*no such session/)
  })

  it('has every session that was there when the backup was begun', () => {
    expect(() => new Scene().judge([])).toThrow(/a restore is the backup.*lacks session 7/)
  })
})
