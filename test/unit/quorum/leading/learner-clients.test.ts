import { describe, expect, it } from 'vitest'
import { OpCode } from '../../../../src/data/op-code.ts'
import { LearnerClients } from '../../../../src/quorum/leading/learner-clients.ts'
import { MemoryReplica } from '../../../support/memory-replica.ts'

const LINK = 5
const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')
const request = (op: number): Buffer => {
  const data = bytes('0000000000000007 00000001 00000000 cafe')
  data.writeInt32BE(op, 12)
  return data
}

describe('what clients of a learner ask', () => {
  it('is handed on with the link that it came by', () => {
    const replica = new MemoryReplica()
    const clients = new LearnerClients(LINK, replica)
    expect(clients.onRequest(request(OpCode.create), null)).toBeUndefined()
    expect(replica.calls).toEqual([
      expect.objectContaining({ call: 'onForwarded', link: LINK, sessionId: 7n, cxid: 1, op: 1 }),
    ])
    expect(clients.onRequest(bytes('00'), null)).toContain('cut short')
    expect(replica.calls.length).toBe(1)
  })

  it('counts as pending while it is a sync, and never below none', () => {
    const clients = new LearnerClients(LINK, new MemoryReplica())
    for (const op of [OpCode.sync, OpCode.create, OpCode.sync]) clients.onRequest(request(op), null)
    const pending = [clients.syncsPending]
    for (let answer = 0; answer < 3; answer += 1) {
      clients.onSyncAnswered()
      pending.push(clients.syncsPending)
    }
    expect(pending).toEqual([2, 1, 0, 0])
  })

  it('closes the link when what a PING brings is cut short', () => {
    const clients = new LearnerClients(LINK, new MemoryReplica())
    expect(clients.onTouched(bytes('0000000000000007 00001388'))).toBeUndefined()
    expect(clients.onTouched(bytes('0000000000000007 0000'))).toBe('PING cut short')
  })

  it('is whether a session lives, answered at once where that is known', () => {
    const replica = new MemoryReplica()
    replica.sessions.add(7n)
    const clients = new LearnerClients(LINK, replica)
    const answers: unknown[] = []
    const answer = (sessionId: bigint, isValid: boolean): void => {
      answers.push([sessionId, isValid])
    }
    clients.onRevalidate(bytes('0000000000000007 00001388'), answer)
    clients.onRevalidate(bytes('0000000000000008 00001388'), answer)
    expect(clients.onRevalidate(bytes('00'), answer)).toContain('cut short')
    expect(answers).toEqual([
      [7n, true],
      [8n, false],
    ])
  })
})
