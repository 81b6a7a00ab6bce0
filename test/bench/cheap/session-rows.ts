import { OpCode } from '../../../src/data/op-code.ts'
import { type MemoryClient, requestFrame } from '../../support/memory-server.ts'
import { create } from '../../support/requests.ts'
import { type CheapRequestRow, collectGarbage, TimedServer } from './cheap-request.ts'

const SESSIONS = 18_000
const WARM_UP_SESSIONS = 5000

/** So many clients, each with a node that lives as long as its session. */
function withSessions(server: TimedServer, count: number): MemoryClient[] {
  const clients = Array.from({ length: count }, () => server.connect(40_000))
  for (const client of clients)
    client.call(OpCode.create, create(`/workers/${client.id}`, { flags: 1 }))
  return clients
}

/** All of them end while the disk is busy, so that one flush commits them all. */
function closed(): { sentBytes: number; longestTurnMs: number; outcome: string } {
  const server = new TimedServer({ settings: { maxClientCnxns: '0' } })
  const frame = requestFrame(1, OpCode.closeSession)
  server.connect().call(OpCode.create, create('/workers'))
  // A server that runs has been compiled by its engine.
  for (const client of withSessions(server, WARM_UP_SESSIONS)) client.sendBytes(frame)
  const clients = withSessions(server, SESSIONS)
  server.isDiskHeld = true
  for (const client of clients) client.sendBytes(frame)
  server.releaseDisk()
  collectGarbage()
  const longestTurnMs = server.longestTurnOf(() => server.releaseDisk())
  const { count } = server.member.sessions
  return { sentBytes: frame.length * SESSIONS, longestTurnMs, outcome: `${count} session left` }
}

const NAME = '18,000 closeSession that commit together'

/** `[name, row]`; the name is what the command line picks by. */
export const sessionRows: readonly (readonly [name: string, row: CheapRequestRow])[] = [
  [NAME, () => ({ name: NAME, ...closed() })],
]
