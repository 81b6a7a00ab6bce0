import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../../../src/base/limits.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { Cnxn, type PendingRequest } from '../../../../src/server/clients/cnxn.ts'
import { PendingRequests } from '../../../../src/server/clients/pending.ts'
import { makeServerMetrics } from '../../../../src/server/stats/server-metrics.ts'
import { plainFacts } from '../../../support/memory-server.ts'

const SESSION = 7n
const frame = Buffer.alloc(8)

function client(id = 1): Cnxn {
  const cnxn = new Cnxn(id, plainFacts('127.0.0.1', id), 100, 0, 0)
  cnxn.state = 'open'
  cnxn.sessionId = SESSION
  return cnxn
}

const pendingOf = (forwards: boolean): PendingRequests =>
  new PendingRequests(defaultLimits, { forwards }, makeServerMetrics())

describe('requests that wait', () => {
  it('count until they are answered, writes and reads alike', () => {
    const pending = pendingOf(false)
    const cnxn = client()
    const write = pending.wait(cnxn, 1, OpCode.setData, undefined, 0)
    pending.park(cnxn, 2, OpCode.getData, frame, 0)
    expect([pending.admission.outstanding, cnxn.parkedReads]).toEqual([2, 1])
    expect(pending.leaveHead(write)).toBe(true)
    const read = cnxn.pending.peek()
    if (read !== undefined) pending.unpark(read)
    expect([pending.admission.outstanding, cnxn.parkedReads, cnxn.pending.length]).toEqual([
      0, 0, 0,
    ])
  })

  it('are answered in their order, or something is badly wrong', () => {
    const pending = pendingOf(false)
    const cnxn = client()
    pending.wait(cnxn, 1, OpCode.setData, undefined, 0)
    const second = pending.wait(cnxn, 2, OpCode.setData, undefined, 0)
    expect(() => pending.leaveHead(second)).toThrow('in the order of requests')
  })

  it('go on counting when their connection has gone, if they are under way', () => {
    const pending = pendingOf(false)
    const cnxn = client()
    const write = pending.wait(cnxn, 1, OpCode.setData, undefined, 0)
    pending.park(cnxn, 2, OpCode.getData, frame, 0)
    const sync = pending.wait(cnxn, 3, OpCode.sync, frame, 0)
    pending.leaveBehind(cnxn)
    cnxn.state = 'closing'
    expect(pending.admission.outstanding).toBe(2)
    expect([pending.leaveHead(write), pending.leaveHead(sync)]).toEqual([false, false])
    expect(pending.admission.outstanding).toBe(0)
  })
})

describe('on a learner, a committed txn', () => {
  const owner = (pending: PendingRequests, cnxn: Cnxn, xid: number): PendingRequest | undefined =>
    pending.ownerOf(cnxn, SESSION, xid, OpCode.setData)

  it('answers the write at the head of its client, by its xid and kind', () => {
    const pending = pendingOf(true)
    const cnxn = client()
    const write = pending.wait(cnxn, 1, OpCode.setData, undefined, 0)
    expect(owner(pending, cnxn, 2)).toBeUndefined()
    expect(pending.ownerOf(cnxn, SESSION, 1, OpCode.create)).toBeUndefined()
    expect(pending.ownerOf(undefined, SESSION, 1, OpCode.setData)).toBeUndefined()
    expect(owner(pending, cnxn, 1)).toBe(write)
  })

  it('never answers a read that waits there', () => {
    const pending = pendingOf(true)
    const cnxn = client()
    pending.park(cnxn, 1, OpCode.setData, frame, 0)
    expect(owner(pending, cnxn, 1)).toBeUndefined()
  })

  it('settles first what a former connection of the session has left', () => {
    const pending = pendingOf(true)
    const former = client(1)
    pending.wait(former, 1, OpCode.setData, undefined, 0)
    pending.leaveBehind(former)
    expect(pending.settleOrphan(SESSION, 1, OpCode.setData)).toBe(true)
    expect(pending.admission.outstanding).toBe(0)
    expect(pending.settleOrphan(SESSION, 1, OpCode.setData)).toBe(false)
  })

  it('forgets those when the present connection is answered, or the session is settled', () => {
    for (const end of ['answered', 'dropped']) {
      const pending = pendingOf(true)
      const [former, present] = [client(1), client(2)]
      pending.wait(former, 9, OpCode.setData, undefined, 0)
      pending.leaveBehind(former)
      pending.wait(present, 1, OpCode.setData, undefined, 0)
      if (end === 'dropped') pending.dropOrphans(SESSION)
      else owner(pending, present, 1)
      expect(pending.settleOrphan(SESSION, 9, OpCode.setData)).toBe(false)
      expect(pending.admission.outstanding).toBe(1)
    }
  })
})
