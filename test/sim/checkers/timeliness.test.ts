import { describe, expect, it } from 'vitest'
import { History, type Op, type SessionLog } from '../history.ts'
import type { LedgerEntry } from '../ledger.ts'
import { Model } from '../model.ts'
import type { Story } from './replay.ts'
import { sessionLog } from './session-log.ts'
import { checkTold, ServingWatch } from './timeliness.ts'

const learner = { host: 'm1', serves: true, isKnown: false, standsStill: false, lateMs: 0 }

describe('timeliness', () => {
  it('finds a member that serves long after its leader has dropped it', () => {
    const watch = new ServingWatch({ limitMs: 1000 })
    watch.look([learner], 100)
    watch.look([learner], 1100)
    expect(() => watch.look([learner], 1101)).toThrow(/timeliness: m1 serves at 1101/)
  })

  it('begins anew when the leader has it, it serves nobody, or it stands still', () => {
    for (const change of [{ isKnown: true }, { serves: false }, { standsStill: true }]) {
      const watch = new ServingWatch({ limitMs: 1000 })
      watch.look([learner], 0)
      watch.look([{ ...learner, ...change }], 900)
      watch.look([learner], 1800)
    }
  })

  it('finds a client that is answered long after its session has ended', () => {
    const history = new History()
    const session: SessionLog = sessionLog()
    history.open(session)
    const ask = (invokedAt: number): void => {
      const op: Op = {
        session,
        connection: 1,
        xid: 1,
        call: { op: 'getData', path: '/', watch: false },
        invokedAt,
        seenBefore: 0,
        reply: { at: invokedAt + 1, zxid: 5, err: 0, result: {} },
      }
      session.ops.push(op)
    }
    const txn = { type: -11, paths2Delete: undefined } as unknown as LedgerEntry['txn']
    const end = { zxid: 5, clientId: 7n, cxid: 0, time: 0, txn, digest: undefined, firstAt: 100 }
    const story: Story = {
      model: new Model(),
      changes: new Map(),
      zxidOf: new Map(),
      refused: new Set(),
      vague: new Set(),
      begun: new Map(),
      closed: new Map([[7n, end]]),
      restores: [],
      gone: new Set(),
      reaped: 0,
      moved: 0,
    }
    const check = (): void => checkTold(history, story, () => 100, 500, 50)
    ask(2100)
    check()
    ask(2200)
    expect(check).toThrow(/timeliness: session 0x7 of client 1 ended at 100/)
  })
})
