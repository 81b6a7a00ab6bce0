import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../../../src/base/limits.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { Admission } from '../../../../src/server/clients/admission.ts'
import { Cnxn } from '../../../../src/server/clients/cnxn.ts'
import { MemoryServer, plainFacts, requestFrame } from '../../../support/memory-server.ts'
import { setData } from '../../../support/requests.ts'

const cnxn = (id: number): Cnxn => new Cnxn(id, plainFacts('127.0.0.1', id), 1000, 0, 0)
const admissionOf = (requestsOutstandingMax: number): Admission =>
  new Admission({ ...defaultLimits, requestsOutstandingMax })
const always = (): boolean => true
/** A connection with a request outstanding. */
const busy = (id: number): Cnxn => {
  const one = cnxn(id)
  one.pending.push({
    cnxn: one,
    xid: 1,
    op: OpCode.setData,
    arrivedMono: 0,
    bytes: 0,
    frame: undefined,
  })
  return one
}

describe('admission', () => {
  it('is open below its limit', () => {
    const admission = admissionOf(2)
    expect(admission.isOpen).toBe(true)
    admission.enter(0)
    admission.enter(0)
    expect([admission.isOpen, admission.outstanding]).toEqual([false, 2])
    admission.leave(0)
    expect(admission.isOpen).toBe(true)
    admission.leave(0)
    expect(() => admission.leave(0)).toThrow()
  })

  it('calls those that wait in their order, and each once', () => {
    const admission = admissionOf(1)
    const waiting = [cnxn(1), cnxn(2), cnxn(3)]
    for (const one of waiting) admission.wait(one)
    expect(admission.some(always)).toBe(true)
    expect([...admission.take(always)]).toEqual(waiting)
    expect(admission.some(always)).toBe(false)
    expect([...admission.take(always)]).toEqual([])
  })

  it('passes over those that may not read, and forgets those that are gone', () => {
    const admission = admissionOf(1)
    const [stuck, gone, ready] = [cnxn(1), cnxn(2), cnxn(3)]
    for (const one of [stuck, gone, ready]) admission.wait(one)
    admission.forget(gone)
    expect([...admission.take((one) => one !== stuck)]).toEqual([ready])
    expect(admission.some((one) => one !== stuck)).toBe(false)
    expect([...admission.take(always)]).toEqual([stuck])
  })

  it('calls nobody who has a request outstanding while it is closed, and stops as soon as it is', () => {
    const admission = admissionOf(1)
    const [first, second] = [busy(1), busy(2)]
    for (const one of [first, second]) admission.wait(one)
    admission.enter(0)
    expect(admission.some(always)).toBe(false)
    expect([...admission.take(always)]).toEqual([])
    admission.leave(0)
    for (const one of admission.take(always)) {
      expect(one).toBe(first)
      admission.enter(0)
      // It has more to say, and goes to the end of the line.
      admission.wait(one)
    }
    admission.leave(0)
    expect([...admission.take(always)]).toEqual([second, first])
  })

  it('admits those with nothing outstanding always, and calls them when they come to that', () => {
    const admission = admissionOf(1)
    admission.enter(0)
    const [throttled, done, idle] = [busy(1), busy(2), cnxn(3)]
    for (const one of [throttled, done, idle]) admission.wait(one)
    expect([throttled, done, idle].map((one) => admission.admits(one))).toEqual([
      false,
      false,
      true,
    ])
    done.pending.clear()
    admission.onIdle(done)
    expect(admission.some((one) => one === done)).toBe(true)
    expect([...admission.take(always)]).toEqual([idle, done])
    expect([...admission.waiting]).toEqual([throttled])
    admission.onIdle(idle)
    expect(admission.some(always)).toBe(false)
  })

  it('counts bytes: at the bound only what is small is let through, of those with nothing outstanding', () => {
    const limits = { ...defaultLimits, requestBytesOutstandingMax: 100, unservedBytesPause: 20 }
    const admission = new Admission(limits)
    const [throttled, large, small] = [busy(1), cnxn(2), cnxn(3)]
    large.splitter.push(Buffer.alloc(21))
    small.splitter.push(Buffer.alloc(20))
    const all = [throttled, large, small]
    const admitted = (): boolean[] => all.map((one) => admission.admits(one))
    admission.enter(99)
    expect([admission.isOpen, ...admitted()]).toEqual([true, true, true, true])
    admission.enter(1)
    expect([admission.isOpen, ...admitted()]).toEqual([false, false, false, true])
    admission.leave(1)
    expect(admission.isOpen).toBe(true)
    expect(() => admission.leave(100)).toThrow()
  })

  it('is not held up by one that comes back at once', () => {
    const admission = admissionOf(1)
    const one = cnxn(1)
    admission.wait(one)
    const called: Cnxn[] = []
    for (const ready of admission.take(always)) {
      called.push(ready)
      admission.wait(ready)
    }
    expect(called).toEqual([one])
  })
})

describe('clients that pipeline more than the limit lets through', () => {
  it('take turns', () => {
    const server = new MemoryServer({ settings: { globalOutstandingLimit: '1' } })
    const clients = [server.connect(), server.connect(), server.connect()]
    server.isDiskHeld = true
    for (const client of clients) {
      const frames = [1, 2, 3].map((xid) => requestFrame(xid, OpCode.setData, setData('/', 'x')))
      client.sendBytes(Buffer.concat(frames))
    }
    const rounds = Array.from({ length: 9 }, () => {
      server.releaseDisk()
      return clients.flatMap((client, i) => client.takeReplies().map(() => i))
    })
    // While the first write is on its way to the disk, each has one let through.
    expect(rounds).toEqual([[0], [0, 1, 2], [1], [0, 1, 2], [2], [], [], [], []])
  })
})
