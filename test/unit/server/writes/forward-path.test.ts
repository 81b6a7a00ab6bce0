import { describe, expect, it } from 'vitest'
import { OpCode } from '../../../../src/data/op-code.ts'
import { Cnxn, type PendingRequest } from '../../../../src/server/clients/cnxn.ts'
import { ForwardPath } from '../../../../src/server/writes/forward-path.ts'
import { plainFacts } from '../../../support/memory-server.ts'

/** A forward path, what its leader is told, and what its member hears. */
function toLeader(returningMax = 10): { path: ForwardPath; told: string[]; heard: string[] } {
  const told: string[] = []
  const heard: string[] = []
  const path = new ForwardPath(
    {
      forward: (session, cxid, op, body, ids) =>
        told.push(`REQUEST ${session} ${cxid} ${op} ${body.toString('hex')} ${ids}`),
      revalidate: (session, timeoutMs) => told.push(`REVALIDATE ${session} ${timeoutMs}`),
    },
    returningMax,
    {
      onSynced: ({ xid }) => heard.push(`synced ${xid}`),
      onReturned: (session, isAlive) => heard.push(`${session} ${isAlive ? 'is back' : 'is gone'}`),
      onUnanswered: ({ xid }) => heard.push(`moved from under ${xid}`),
    },
  )
  return { path, told, heard }
}

const SYNC = 'REQUEST 5 0 9 000000012f null'

describe('a session that comes back to a learner', () => {
  it('is let in when its REVALIDATE is answered and the sync behind it has come', () => {
    const { path, told, heard } = toLeader()
    path.revalidate(5n, 4000)
    expect(told).toEqual(['REVALIDATE 5 4000', SYNC])
    path.onRevalidated(5n, true)
    expect(heard).toEqual([])
    path.onSynced()
    expect(heard).toEqual(['5 is back'])
    path.onSynced()
    path.onRevalidated(5n, true)
    expect(heard.length).toBe(1)
  })

  it('is let in whichever of them comes first', () => {
    const { path, heard } = toLeader()
    path.revalidate(5n, 4000)
    path.onSynced()
    expect(heard).toEqual([])
    path.onRevalidated(5n, true)
    expect(heard).toEqual(['5 is back'])
  })

  it('is refused at once when it is gone', () => {
    const { path, heard } = toLeader()
    path.revalidate(5n, 4000)
    path.onRevalidated(5n, false)
    expect(heard).toEqual(['5 is gone'])
    path.onSynced()
    expect(heard.length).toBe(1)
  })

  it('is asked after once more when it has come again meanwhile, and only then let in', () => {
    const { path, told, heard } = toLeader()
    path.revalidate(5n, 4000)
    path.revalidate(5n, 5000)
    path.revalidate(5n, 6000)
    expect(told.length).toBe(2)
    path.onRevalidated(5n, true)
    path.onSynced()
    expect([heard, told.slice(2)]).toEqual([[], ['REVALIDATE 5 6000', SYNC]])
    path.onRevalidated(5n, true)
    path.onSynced()
    expect(heard).toEqual(['5 is back'])
  })

  it('is one of so many at most', () => {
    const { path } = toLeader(2)
    path.revalidate(5n, 4000)
    expect(path.isBusy).toBe(false)
    path.revalidate(6n, 4000)
    expect(path.isBusy).toBe(true)
    expect(() => path.revalidate(7n, 4000)).toThrow('a session too many comes back')
    path.onRevalidated(5n, false)
    expect(path.isBusy).toBe(false)
  })
})

describe('a request of a session that may have moved', () => {
  const cnxn = new Cnxn(1, plainFacts('127.0.0.1', 1), 100, 0, 0)
  cnxn.sessionId = 5n
  const request = (xid: number): PendingRequest => {
    return { cnxn, xid, op: OpCode.create, arrivedMono: 0, bytes: 0, frame: undefined }
  }

  it('is judged when the sync behind it has come, and asked for once', () => {
    const { path, told, heard } = toLeader()
    const origin = request(1)
    path.doubt(origin)
    path.doubt(origin)
    expect([told, heard]).toEqual([[SYNC], []])
    path.onSynced()
    expect(heard).toEqual(['moved from under 1'])
    path.doubt(origin)
    expect(told.length).toBe(2)
  })

  it('keeps its place among the other syncs', () => {
    const { path, heard } = toLeader()
    path.sync({ ...request(1), op: OpCode.sync, frame: Buffer.alloc(13) })
    path.doubt(request(2))
    path.revalidate(6n, 4000)
    path.onRevalidated(6n, true)
    for (let i = 0; i < 4; i += 1) path.onSynced()
    expect(heard).toEqual(['synced 1', 'moved from under 2', '6 is back'])
  })
})
