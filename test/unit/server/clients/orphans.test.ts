import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../../../src/base/limits.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { Admission } from '../../../../src/server/clients/admission.ts'
import { Cnxn } from '../../../../src/server/clients/cnxn.ts'
import { isTxnOf, Orphans } from '../../../../src/server/clients/orphans.ts'
import { plainFacts } from '../../../support/memory-server.ts'

const cnxn = new Cnxn(1, plainFacts('127.0.0.1', 1), 100, 0, 0)

/** Writes of sessions, as [session, xid, op]. */
function orphansOf(...writes: readonly (readonly [bigint, number, number])[]): {
  orphans: Orphans
  admission: Admission
} {
  const admission = new Admission({ ...defaultLimits, requestsOutstandingMax: 10 })
  const orphans = new Orphans(admission)
  for (const [session, xid, op] of writes) {
    admission.enter(1)
    admission.abandon(1)
    orphans.add(session, { cnxn, xid, op, arrivedMono: 0, bytes: 1, frame: undefined })
  }
  return { orphans, admission }
}

describe('orphans', () => {
  it('are settled in their order, each by one txn', () => {
    const { orphans, admission } = orphansOf(
      [7n, 1, OpCode.create],
      [7n, 2, OpCode.delete],
      [7n, 1, OpCode.create],
    )
    expect(orphans.settle(7n, 1, OpCode.create)).toBe(true)
    expect(orphans.settle(7n, 2, OpCode.error)).toBe(true)
    expect(orphans.settle(8n, 1, OpCode.create)).toBe(false)
    expect(orphans.settle(7n, 1, OpCode.create)).toBe(true)
    expect([orphans.settle(7n, 1, OpCode.create), orphans.isEmpty, admission.outstanding]).toEqual([
      false,
      true,
      0,
    ])
  })

  it('are given up when one behind them is settled', () => {
    const { orphans, admission } = orphansOf(
      [7n, 1, OpCode.create],
      [7n, 2, OpCode.create],
      [7n, 3, OpCode.create],
    )
    expect([orphans.settle(7n, 2, OpCode.create), admission.outstanding]).toEqual([true, 1])
    expect([orphans.settle(7n, 1, OpCode.create), admission.outstanding]).toEqual([false, 1])
  })

  it('are not settled by a txn that their op cannot have become', () => {
    const { orphans } = orphansOf([7n, 0, OpCode.create])
    expect(orphans.settle(7n, 0, OpCode.closeSession)).toBe(false)
    expect(orphans.settle(7n, 0, OpCode.create2)).toBe(true)
  })

  it('go with their session, and with the role', () => {
    const { orphans, admission } = orphansOf(
      [7n, 1, OpCode.create],
      [7n, 2, OpCode.create],
      [8n, 1, OpCode.create],
    )
    orphans.drop(7n)
    expect([admission.outstanding, orphans.settle(7n, 1, OpCode.create)]).toEqual([1, false])
    orphans.clear()
    expect([admission.outstanding, orphans.isEmpty]).toEqual([0, true])
  })

  it('know what a request may become', () => {
    expect(isTxnOf(OpCode.create, OpCode.createTTL)).toBe(true)
    expect(isTxnOf(OpCode.multi, OpCode.multi)).toBe(true)
    expect(isTxnOf(OpCode.setACL, OpCode.error)).toBe(true)
    expect(isTxnOf(OpCode.setData, OpCode.create)).toBe(false)
    expect(isTxnOf(OpCode.create, OpCode.setData)).toBe(false)
    expect(isTxnOf(OpCode.createSession, OpCode.closeSession)).toBe(false)
  })
})
