import { describe, expect, it } from 'vitest'
import { EpochAgreement } from '../../../../src/quorum/leading/epoch-agreement.ts'
import { Leadership } from '../../../../src/quorum/leading/leadership.ts'
import { rolePartsOf, type TestParts } from '../../../support/role-parts.ts'

interface Agreement {
  readonly agreement: EpochAgreement
  readonly leadership: Leadership
  readonly parts: TestParts
  readonly happened: string[]
}

/** On member 1, which leads; `voters` of that many. */
function begin(voters: readonly number[], epochs = { accepted: 3, current: 2 }): Agreement {
  const parts = rolePartsOf({ voters }, epochs)
  const leadership = new Leadership(0)
  const happened: string[] = []
  const agreement = new EpochAgreement(parts, leadership, {
    onEpoch: () => happened.push('epoch'),
    onElected: () => happened.push('elected'),
    onAgreed: () => happened.push('agreed'),
  })
  agreement.start()
  return { agreement, leadership, parts, happened }
}

describe('the agreement on an epoch', () => {
  it('needs a quorum for each step, and our own disk before anybody is told', () => {
    const { agreement, leadership, parts, happened } = begin([1, 2, 3, 4, 5])
    agreement.onReported(3, 2)
    expect([agreement.phase, leadership.epoch]).toEqual(['discovery', 0])
    agreement.onReported(3, 3)
    expect([agreement.phase, leadership.epoch, happened]).toEqual(['epoch', 4, []])
    parts.replica.flush()
    expect([agreement.phase, happened]).toEqual(['election', ['epoch']])
    agreement.onEpochAcked(2)
    agreement.onEpochAcked(2)
    expect(parts.epochs).toEqual({ accepted: 4, current: 2 })
    agreement.onEpochAcked(3)
    expect([agreement.phase, happened.at(-1)]).toEqual(['synchronisation', 'elected'])
    expect(parts.epochs).toEqual({ accepted: 4, current: 4 })
    // A quorum of the others: but our disk has not said so yet.
    for (const sid of [2, 3, 4]) agreement.onNewLeaderAcked(sid)
    expect(agreement.phase).toBe('synchronisation')
    parts.replica.flush()
    expect([agreement.phase, happened.at(-1)]).toEqual(['agreed', 'agreed'])
  })

  it('is on an epoch above all promises that were heard of, those without a vote too', () => {
    const { agreement, leadership } = begin([1, 2, 3])
    agreement.onReported(8, undefined)
    expect(agreement.phase).toBe('discovery')
    agreement.onReported(5, 2)
    expect(leadership.epoch).toBe(9)
    agreement.onReported(20, 3)
    expect(leadership.epoch).toBe(9)
  })

  it('takes nothing but our disk where there is one voter', () => {
    const { agreement, parts } = begin([1])
    parts.replica.flush()
    parts.replica.flush()
    expect([agreement.phase, parts.epochs]).toEqual(['agreed', { accepted: 4, current: 4 }])
  })

  it('goes on with nothing that the disk says after its end', () => {
    const { agreement, parts, happened } = begin([1])
    agreement.close()
    parts.replica.flush()
    expect([agreement.phase, happened]).toEqual(['epoch', []])
  })

  it('may take initLimit for each phase', () => {
    const { agreement, leadership, parts } = begin([1, 2, 3])
    const { initLimitMs } = parts.settings
    leadership.mono = initLimitMs
    expect(agreement.isOverdue).toBe(false)
    agreement.onReported(3, 2)
    leadership.mono = 2 * initLimitMs
    expect(agreement.isOverdue).toBe(false)
    leadership.mono += 1
    expect(agreement.isOverdue).toBe(true)
  })

  it('knows whose history is ahead of ours: by the epoch, then by the end of the log', () => {
    const { agreement } = begin([1, 2, 3])
    const ahead = [
      [3, 0],
      [1, 9],
      [2, 0],
      [2, 1],
    ].map(([epoch = 0, zxid = 0]) => agreement.isAhead(epoch, zxid))
    expect(ahead).toEqual([true, false, false, true])
  })

  it('lets nobody vote who has none, nor out of turn', () => {
    const { agreement } = begin([1, 2, 3])
    expect(() => agreement.onReported(3, 9)).toThrow('member 9 has no vote')
    expect(() => agreement.onEpochAcked(2)).toThrow('in the phase discovery')
    expect(() => agreement.onNewLeaderAcked(2)).toThrow('in the phase discovery')
  })
})
