import { JuteReader } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { FreeSpace } from '../../../../src/server/bounds/free-space.ts'
import { WriteGate } from '../../../../src/server/clients/write-gate.ts'
import { makeServerMetrics } from '../../../../src/server/stats/server-metrics.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

type Parts = ConstructorParameters<typeof WriteGate>[0]
const { closeSession, create, createTTL, multi, setData } = OpCode

/** What each of these is answered with. */
function refusals(freeBytes: number, isHeapLow: boolean, acls?: Err): readonly Err[] {
  const space = new FreeSpace(1000, silentLogger)
  space.onMeasured(freeBytes)
  const others: object = {
    heap: { isLow: isHeapLow, refusesCreate: () => true },
    eagerAcls: acls === undefined ? undefined : { refusalOf: () => acls },
  }
  const known = { space, metrics: makeServerMetrics() }
  const gate = new WriteGate({ ...known, ...others } as Parts)
  const body = new JuteReader(Buffer.alloc(0))
  return [closeSession, create, createTTL, multi, setData].map((op) => gate.refusalOf(op, [], body))
}

describe('a write is refused', () => {
  it('when the disk is nearly full, but for the end of a session', () => {
    const { ok, systemError: no } = Err
    expect(refusals(1000, false)).toEqual([ok, ok, ok, ok, ok])
    expect(refusals(999, false)).toEqual([ok, no, no, no, no])
  })

  it('when memory is short and it makes a node', () => {
    const { ok, systemError: no } = Err
    expect(refusals(1000, true)).toEqual([ok, no, no, ok, ok])
  })

  it('by its ACLs at once where that is asked for', () => {
    const { ok, noAuth } = Err
    expect(refusals(1000, false, noAuth)).toEqual([ok, noAuth, noAuth, noAuth, noAuth])
  })
})
