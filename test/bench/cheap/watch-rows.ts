import type { MemoryClient } from '../../support/memory-server.ts'
import { type CheapRequestRow, collectGarbage, TimedServer } from './cheap-request.ts'

const WATCHES = 800_000

/** So many connections, with as many watches among them. */
export function withWatches(server: TimedServer, connections: number): MemoryClient[] {
  const clients = Array.from({ length: connections }, () => server.connect(40_000))
  const cnxns = clients.flatMap(({ sessionId }) => server.member.clients.cnxnOf(sessionId) ?? [])
  for (let n = 0; n < WATCHES; n += 1) {
    const cnxn = cnxns[n % connections]
    if (cnxn !== undefined) server.member.watches.table.addData(`/services/node-${n}`, cnxn)
  }
  return clients
}

function gone(): { longestTurnMs: number; outcome: string } {
  const server = new TimedServer({ settings: { maxClientCnxns: '0' } })
  const [client] = withWatches(server, 1)
  collectGarbage()
  const longestTurnMs = server.longestTurnOf(() => client?.vanish())
  return { longestTurnMs, outcome: `${server.member.watches.table.watchCount} watches left` }
}

/** `[name, row]`; the name is what the command line picks by. */
export const watchRows: readonly (readonly [name: string, row: CheapRequestRow])[] = [
  'a client of 800,000 watches goes',
].map((name) => [name, () => ({ name, sentBytes: 0, ...gone() })])
