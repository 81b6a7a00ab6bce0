import { describe, expect, it } from 'vitest'
import { OpCode } from '../../../src/data/op-code.ts'
import { type MemoryClient, MemoryServer, requestFrame } from '../../support/memory-server.ts'
import { getData } from '../../support/requests.ts'

/** Delivers a read without letting the turn end. */
function deliver(server: MemoryServer, client: MemoryClient): void {
  const frame = requestFrame(1, OpCode.getData, getData('/'))
  server.loop.enter((member) => member.sockets.onBytes(client.id, frame))
}

describe('a turn', () => {
  it('writes at its end, and before when many clients have something', () => {
    const server = new MemoryServer({ settings: { maxClientCnxns: '0' } })
    const clients = Array.from({ length: 40 }, () => server.connect())
    for (const client of clients.slice(0, 31)) deliver(server, client)
    expect(clients.map((client) => client.received.length > 0)).not.toContain(true)
    for (const client of clients.slice(31)) deliver(server, client)
    expect(clients.filter((client) => client.received.length > 0)).toHaveLength(32)
    server.settle()
    expect(clients.every((client) => client.takeReplies().length === 1)).toBe(true)
  })
})
