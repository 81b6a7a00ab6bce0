import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { JuteReader, JuteWriter } from 'jute-ts'
import { afterEach, describe, expect, it } from 'vitest'
import { ThrottledLog } from '../../../../src/base/throttled-log.ts'
import { openAcl } from '../../../../src/data/acl.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { readGetChildrenResponse, writeConnectRequest } from '../../../../src/data/records.ts'
import { Descriptors } from '../../../../src/node/files/descriptors.ts'
import { ClientPort } from '../../../../src/node/sockets/client-port.ts'
import { ClientSockets } from '../../../../src/node/sockets/client-sockets.ts'
import { type Machine, TurnLoop } from '../../../../src/server/turn-loop.ts'
import { applyTxn, deafListener } from '../../../../src/tree/apply.ts'
import { framed, MemoryServer, requestFrame } from '../../../support/memory-server.ts'
import { getChildren } from '../../../support/requests.ts'

const NAMES = 190_000
const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

/** A member behind a real port; the rest of its machine is memory. */
async function listen(): Promise<{ server: MemoryServer; port: number }> {
  const server = new MemoryServer()
  const { config } = server
  const options = { port: 0, host: '127.0.0.1', backlog: -1, keepAlive: config.clientTcpKeepAlive }
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const log = new ThrottledLog(logger, server.member.clock)
  const clients = new ClientSockets(new Descriptors(-1), log)
  const listener = new ClientPort(options, clients, log)
  const machine: Machine = {
    clock: () => ({ mono: performance.now() + 1e6, wall: Date.now() }),
    afterThisTurn: (fn) => setImmediate(fn),
    writeClient: (id, bytes) => clients.write(id, bytes),
    closeClient: (id, now) => clients.close(id, now),
    pauseClient: (id, paused) => clients.pause(id, paused),
    ask() {},
    writeDisk: (_ops, done) => setImmediate(done),
    writeSnapshotSlice: (_op, done) => setImmediate(() => done(undefined)),
    dialLink() {},
    writeLink: () => 0,
    closeLink() {},
    pauseLink() {},
  }
  clients.attach(new TurnLoop(server.member, machine))
  const port = await listener.listen()
  ends.push(() => {
    void listener.stop()
    clients.destroyAll()
  })
  return { server, port }
}

/** Sends a frame, and resolves with the one that comes back. */
function call(socket: Socket, frame: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const onClose = (): void => reject(new Error(`closed after ${length} bytes`))
    const onData = (chunk: Buffer): void => {
      chunks.push(chunk)
      length += chunk.length
      if (length < 4 + (chunks[0]?.readInt32BE(0) ?? 0)) return
      socket.off('data', onData)
      socket.off('close', onClose)
      resolve(Buffer.concat(chunks).subarray(4))
    }
    socket.on('data', onData)
    socket.once('close', onClose)
    socket.write(frame)
  })
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  ends.push(() => socket.destroy())
  const w = new JuteWriter()
  const passwd = Buffer.alloc(16)
  const request = { protocolVersion: 0, lastZxidSeen: 0, timeOut: 30_000, sessionId: 0n, passwd }
  writeConnectRequest(w, request)
  await call(socket, framed(w.bytes()))
  return socket
}

describe('a client port', () => {
  it('delivers a reply of more than 16 MiB', async () => {
    const { server, port } = await listen()
    const { tree } = server.member
    for (let n = 1; n <= NAMES; n += 1) {
      const path = `/${n}-${'x'.repeat(90)}`
      const context = { clientId: 0n, zxid: 0, time: 0 }
      const node = { path, data: null, acl: openAcl, ephemeral: false, parentCVersion: n, ttl: 0n }
      applyTxn(tree, context, { type: OpCode.create, ...node }, deafListener)
    }
    const socket = await connected(port)
    for (const xid of [1, 2]) {
      const reply = await call(socket, requestFrame(xid, OpCode.getChildren, getChildren('/')))
      expect(reply.length).toBeGreaterThan(16 * 1024 * 1024)
      const r = new JuteReader(reply, 16)
      // /zookeeper is one, too.
      expect(readGetChildrenResponse(r).children).toHaveLength(NAMES + 1)
    }
  })

  it('has the system look after connections that are silent, unless told otherwise', async () => {
    const { server, port } = await listen()
    await connected(port)
    expect(server.config.clientTcpKeepAlive).toBe(true)
    expect(keepAliveSeconds(port)).toEqual([60])
  })
})

/** Until the first probe of each connection that the port has accepted, as Linux tells. */
function keepAliveSeconds(port: number): number[] {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const rows = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((row) => row.trim().split(/\s+/))
  const accepted = rows.filter((row) => row[1] === local && row[3] === '01')
  return accepted.map((row) => {
    const [timer, jiffies] = (row[5] ?? '').split(':')
    return timer === '02' ? Math.ceil(Number.parseInt(jiffies ?? '', 16) / 100) : 0
  })
}
