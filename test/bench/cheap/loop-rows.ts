import { OpCode } from '../../../src/data/op-code.ts'
import type { ACL } from '../../../src/data/records.ts'
import { type MemoryClient, requestFrame } from '../../support/memory-server.ts'
import { check, create, getData, multi, pathOnly, remove, setAcl } from '../../support/requests.ts'
import { type CheapRequestRow, sendChunked, TimedServer } from './cheap-request.ts'

const RANGES = 30_000
const NODES = 200_000
const limitsData = Buffer.from('count=1000000,bytes=-1')

/** Ranges that the client, 127.0.0.1, is in none of. The first entry lets it check all the same. */
function strangersAcl(readable: boolean): readonly ACL[] {
  const acl: ACL[] = []
  for (let i = 0; i < RANGES; i += 1)
    acl.push({ perms: 1, id: { scheme: 'ip', id: `10.${i >> 8}.${i & 255}.0/24` } })
  if (readable) acl.push({ perms: 1, id: { scheme: 'ip', id: '127.0.0.0/8' } })
  return acl
}

function frames(count: number, frame: (i: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, i) => frame(i)))
}

/** A quarter of them lies in each of 100 subtrees of `/t`. */
function withNodes(server: TimedServer): MemoryClient {
  const client = server.connect(40_000)
  client.call(OpCode.create, create('/t'))
  for (let i = 0; i < 100; i += 1) client.call(OpCode.create, create(`/t/${i}`))
  for (let i = 0; i < NODES; i += 1000) {
    const creates = (k: number) => create(`/t/${k % 100}/n${i + k}`)
    client.sendBytes(frames(1000, (k) => requestFrame(k, OpCode.create, creates(k))))
  }
  client.takeFrames()
  return client
}

const measured =
  (
    name: string,
    prepare: (server: TimedServer) => { client: MemoryClient; bytes: Buffer },
  ): CheapRequestRow =>
  () => {
    const server = new TimedServer()
    const { client, bytes } = prepare(server)
    server.dropsReplies = true
    const longestTurnMs = server.longestTurnOf(() => sendChunked(client, bytes))
    return { name, sentBytes: bytes.length, longestTurnMs }
  }

function guarded(server: TimedServer, readable: boolean): MemoryClient {
  const client = server.connect(40_000)
  client.call(OpCode.create, create('/a'))
  client.call(OpCode.setACL, setAcl('/a', strangersAcl(readable)))
  return client
}

const limits = '/zookeeper/quota/t/zookeeper_limits'
const stats = '/zookeeper/quota/t/zookeeper_stats'

/** `[name, row]`; the name is what the command line picks by. */
export const loopRows: readonly (readonly [name: string, row: CheapRequestRow])[] = [
  measuredRow('getData refused by 30,000 ip ranges', (server) => ({
    client: guarded(server, false),
    bytes: requestFrame(1, OpCode.getData, getData('/a')),
  })),
  measuredRow('2,000 getData refused so, pipelined', (server) => ({
    client: guarded(server, false),
    bytes: frames(2000, (i) => requestFrame(i, OpCode.getData, getData('/a'))),
  })),
  measuredRow('setACL of 30,000 ip ranges', (server) => {
    const client = server.connect()
    client.call(OpCode.create, create('/a'))
    const bytes = requestFrame(1, OpCode.setACL, setAcl('/a', strangersAcl(false)))
    return { client, bytes }
  }),
  measuredRow('a multi of 2,000 checks of such a node', (server) => ({
    client: guarded(server, true),
    bytes: requestFrame(
      1,
      OpCode.multi,
      multi(Array.from({ length: 2000 }, () => [OpCode.check, check('/a')] as const)),
    ),
  })),
  measuredRow('2,000 getACL of such a node, pipelined', (server) => ({
    client: guarded(server, true),
    bytes: frames(2000, (i) => requestFrame(i, OpCode.getACL, pathOnly('/a'))),
  })),
  measuredRow('getAllChildrenNumber over 200,000 nodes', (server) => ({
    client: withNodes(server),
    bytes: requestFrame(1, OpCode.getAllChildrenNumber, pathOnly('/t')),
  })),
  measuredRow('2,000 getAllChildrenNumber, pipelined', (server) => ({
    client: withNodes(server),
    bytes: frames(2000, (i) => requestFrame(i, OpCode.getAllChildrenNumber, pathOnly('/t'))),
  })),
  measuredRow('a quota node over 200,000 nodes made and deleted 500 times', (server) => {
    const client = withNodes(server)
    client.call(OpCode.create, create('/zookeeper/quota/t'))
    client.call(OpCode.create, create(limits, { data: limitsData }))
    const parts = Array.from({ length: 500 }, () => [
      [OpCode.create, create(stats)] as const,
      [OpCode.delete, remove(stats)] as const,
    ]).flat()
    return { client, bytes: requestFrame(1, OpCode.multi, multi(parts)) }
  }),
  measuredRow('2,000 getEphemerals of a session with 20,000', (server) => {
    const client = server.connect()
    client.call(OpCode.create, create('/e'))
    for (let i = 0; i < 20_000; i += 1000) {
      const creates = (k: number) => create(`/e/${i + k}`, { flags: 1 })
      client.sendBytes(frames(1000, (k) => requestFrame(k, OpCode.create, creates(k))))
    }
    client.takeFrames()
    const bytes = frames(2000, (i) => requestFrame(i, OpCode.getEphemerals, pathOnly('/x')))
    return { client, bytes }
  }),
]

function measuredRow(
  name: string,
  prepare: (server: TimedServer) => { client: MemoryClient; bytes: Buffer },
): readonly [string, CheapRequestRow] {
  return [name, measured(name, prepare)]
}
