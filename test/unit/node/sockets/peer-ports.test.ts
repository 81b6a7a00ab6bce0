import { once } from 'node:events'
import { connect, createServer, type Socket as NetSocket, type Server } from 'node:net'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import type { LogFields } from '../../../../src/base/logger.ts'
import { Descriptors } from '../../../../src/node/files/descriptors.ts'
import { ExitCode, StartError } from '../../../../src/node/process/exit-code.ts'
import { PeerPorts, type PeerPortsOptions } from '../../../../src/node/sockets/peer-ports.ts'
import type { LinkEvents, LinkId, LinkPort } from '../../../../src/quorum/ports/links.ts'
import { silentLogger } from '../../../support/silent-logger.ts'

const LOCAL = '127.0.0.1'
const options: PeerPortsOptions = {
  bindTriesMax: 1,
  onAllAddresses: false,
  keepAlive: true,
  connectTimeoutMs: 5000,
}

/** One side: its ports, all that it was told, and a way to wait for what it will be told. */
class Side {
  readonly told: string[] = []
  readonly warnings: (LogFields | undefined)[] = []
  readonly bytes = new Map<LinkId, Buffer[]>()
  readonly ports: PeerPorts
  /** The ids of the links that were accepted. */
  readonly accepted: LinkId[] = []
  #waiting: (() => void)[] = []

  constructor(changes: Partial<PeerPortsOptions> = {}) {
    const warn = (_: string, fields?: LogFields): void => {
      this.warnings.push(fields)
    }
    const logger = { ...silentLogger, warn, info: warn }
    this.ports = new PeerPorts({ ...options, ...changes }, new Descriptors(-1), logger)
    const events: LinkEvents = {
      onLinkAccepted: (link, port) => {
        this.accepted.push(link)
        this.told.push(`accepted ${link} ${port}`)
      },
      onLinkOpened: (link) => this.told.push(`opened ${link}`),
      onLinkBytes: (link, bytes) => {
        const all = this.bytes.get(link) ?? []
        all.push(Buffer.from(bytes))
        this.bytes.set(link, all)
      },
      onLinkClosed: (link) => this.told.push(`closed ${link}`),
      onLinkDrained: (link) => this.told.push(`drained ${link}`),
    }
    this.ports.attach({
      enter: (deliver) => {
        deliver(events)
        const waiting = this.#waiting
        this.#waiting = []
        for (const go of waiting) go()
      },
    })
  }

  receivedBytes(link: LinkId): number {
    return (this.bytes.get(link) ?? []).reduce((sum, { length }) => sum + length, 0)
  }

  received(link: LinkId): string {
    return Buffer.concat(this.bytes.get(link) ?? []).toString('latin1')
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition())
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
  }
}

const sides: Side[] = []
const servers: Server[] = []
function side(changes: Partial<PeerPortsOptions> = {}): Side {
  const made = new Side(changes)
  sides.push(made)
  return made
}
afterEach(() => {
  for (const { ports } of sides) ports.stop()
  for (const server of servers) server.close()
  sides.length = 0
  servers.length = 0
})

async function listening(on: Side, port: LinkPort = 'quorum'): Promise<number> {
  const [bound = 0] = await on.ports.listen(port, [{ host: LOCAL, port: 0 }])
  return bound
}

/** Two sides and a link, which is -1 at `a` and 1 at `b`. */
async function connected(): Promise<{ readonly a: Side; readonly b: Side }> {
  const [a, b] = [side(), side()]
  a.ports.dial(-1, 'quorum', [{ host: LOCAL, port: await listening(b) }])
  await Promise.all([a.until(() => a.told.length > 0), b.until(() => b.told.length > 0)])
  return { a, b }
}

/** A server that does with its sockets what the test wants; its port. */
function rawServer(onSocket: (socket: NetSocket) => void): Promise<number> {
  const server = createServer(onSocket)
  servers.push(server)
  return new Promise((resolve) => {
    server.listen(0, LOCAL, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}

describe('links between members', () => {
  it('tell who has connected to which port, and count from 1', async () => {
    const [a, b] = [side(), side()]
    const quorum = await listening(b, 'quorum')
    const election = await listening(b, 'election')
    a.ports.dial(-1, 'election', [{ host: LOCAL, port: election }])
    await a.until(() => a.told.includes('opened -1'))
    await b.until(() => b.told.length === 1)
    a.ports.dial(-2, 'quorum', [{ host: LOCAL, port: quorum }])
    await a.until(() => a.told.includes('opened -2'))
    await b.until(() => b.told.length === 2)
    expect(b.told).toEqual(['accepted 1 election', 'accepted 2 quorum'])
  })

  it('carry bytes both ways, in order', async () => {
    const { a, b } = await connected()
    expect(a.ports.write(-1, Buffer.from('one '))).toBe(0)
    a.ports.write(-1, Buffer.from('two'))
    b.ports.write(1, Buffer.from('back'))
    await b.until(() => b.received(1) === 'one two')
    await a.until(() => a.received(-1) === 'back')
  })

  it('take bytes before they are connected', async () => {
    const [a, b] = [side(), side()]
    const port = await listening(b)
    a.ports.dial(-1, 'quorum', [{ host: LOCAL, port }])
    expect(a.ports.write(-1, Buffer.from('early '))).toBe(6)
    expect(a.ports.write(-1, Buffer.from('bird'))).toBe(10)
    await b.until(() => b.received(1) === 'early bird')
    await a.until(() => a.told.includes('drained -1'))
    expect(a.told).toEqual(['opened -1', 'drained -1'])
  })

  it('send what was written before a close, and tell nothing more', async () => {
    const { a, b } = await connected()
    const size = 8 * 1024 * 1024
    a.ports.write(-1, Buffer.alloc(size, 'x'))
    b.ports.write(1, Buffer.from('unread'))
    a.ports.close(-1)
    await b.until(() => b.told.includes('closed 1'))
    expect(b.receivedBytes(1)).toBe(size)
    expect(a.told).toEqual(['opened -1'])
    expect(a.received(-1)).toBe('')
    expect(a.ports.write(-1, Buffer.from('late'))).toBe(0)
  })

  it('end at once where the peer has left much unread', async () => {
    const { a, b } = await connected()
    b.ports.pause(1, true)
    const size = 64 * 1024 * 1024
    expect(a.ports.write(-1, Buffer.alloc(size))).toBeGreaterThan(size / 2)
    a.ports.close(-1)
    b.ports.pause(1, false)
    await b.until(() => b.told.includes('closed 1'))
    expect(b.receivedBytes(1)).toBeLessThan(size / 2)
  })

  it('tell once when the peer has gone', async () => {
    const { a, b } = await connected()
    b.ports.stop()
    await a.until(() => a.told.includes('closed -1'))
    expect(a.told).toEqual(['opened -1', 'closed -1'])
    expect(b.told).toEqual(['accepted 1 quorum'])
  })

  it('are not read while paused, and tell when what waited has left', async () => {
    const { a, b } = await connected()
    b.ports.pause(1, true)
    const size = 32 * 1024 * 1024
    const waiting = a.ports.write(-1, Buffer.alloc(size))
    expect(waiting).toBeGreaterThan(0)
    // In the time of these, unless it was paused, some would have arrived.
    for (let i = 1; i <= 5; i += 1) {
      b.ports.write(1, Buffer.from('.'))
      await a.until(() => a.received(-1).length === i)
    }
    expect(b.receivedBytes(1)).toBe(0)
    expect(a.told).toEqual(['opened -1'])
    b.ports.pause(1, false)
    await a.until(() => a.told.includes('drained -1'))
    await b.until(() => b.receivedBytes(1) === size)
    expect(a.told).toEqual(['opened -1', 'drained -1'])
  })

  it('can be paused before they are connected', async () => {
    const a = side()
    const port = await rawServer((socket) => socket.write('hello'))
    a.ports.dial(-1, 'quorum', [{ host: LOCAL, port }])
    a.ports.pause(-1, true)
    await a.until(() => a.told.includes('opened -1'))
    a.ports.dial(-2, 'quorum', [{ host: LOCAL, port }])
    await a.until(() => a.received(-2) === 'hello')
    expect(a.received(-1)).toBe('')
    a.ports.pause(-1, false)
    await a.until(() => a.received(-1) === 'hello')
  })
})

/** Listens, and then never accepts: once two wait, the system answers nobody any more. */
const deafServer = `
  const { createServer } = require('node:net')
  const { parentPort } = require('node:worker_threads')
  const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port)
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
  })
`

describe('a dial', () => {
  async function closedPort(): Promise<number> {
    const other = side()
    const port = await listening(other)
    other.ports.stop()
    return port
  }

  it('tries the addresses one after the other, names among them', async () => {
    const [a, b] = [side(), side()]
    const port = await listening(b)
    a.ports.dial(-1, 'quorum', [
      { host: LOCAL, port: await closedPort() },
      { host: 'no-such-host.invalid', port },
      { host: 'localhost', port },
    ])
    await a.until(() => a.told.length > 0)
    expect(a.told).toEqual(['opened -1'])
  })

  it('ends with a close when nobody answers, and says why in the log', async () => {
    const a = side()
    const port = await closedPort()
    a.ports.dial(-1, 'election', [{ host: LOCAL, port }])
    await a.until(() => a.told.length > 0)
    expect(a.told).toEqual(['closed -1'])
    expect(a.warnings).toEqual([{ port: 'election', reason: `${LOCAL}:${port}: ECONNREFUSED` }])
    a.ports.dial(-2, 'election', [])
    await a.until(() => a.told.length > 1)
    expect(a.told[1]).toBe('closed -2')
  })

  it('goes on to the next address when one does not answer in time', async () => {
    const worker = new Worker(deafServer, { eval: true })
    try {
      const [deaf] = await once(worker, 'message')
      const fillers = await Promise.all(
        [1, 2].map(async () => {
          const socket = connect(deaf, LOCAL)
          await once(socket, 'connect')
          return socket
        }),
      )
      const [a, b] = [side({ connectTimeoutMs: 100 }), side()]
      a.ports.dial(-1, 'quorum', [{ host: LOCAL, port: deaf }])
      await a.until(() => a.told.length > 0)
      expect(a.told).toEqual(['closed -1'])
      const reason = `${LOCAL}:${deaf}: no connection within 100 ms`
      expect(a.warnings).toEqual([{ port: 'quorum', reason }])
      a.ports.dial(-2, 'quorum', [
        { host: LOCAL, port: deaf },
        { host: LOCAL, port: await listening(b) },
      ])
      await a.until(() => a.told.length > 1)
      expect(a.told[1]).toBe('opened -2')
      for (const socket of fillers) socket.destroy()
    } finally {
      await worker.terminate()
    }
  })

  it('can be given up, after which nothing is told', async () => {
    const [a, b] = [side(), side()]
    const port = await listening(b)
    a.ports.dial(-1, 'quorum', [{ host: LOCAL, port }])
    a.ports.close(-1)
    a.ports.dial(-2, 'quorum', [{ host: LOCAL, port }])
    await a.until(() => a.told.includes('opened -2'))
    expect(a.told).toEqual(['opened -2'])
  })
})

describe('the ports of a member', () => {
  it('that are taken are an error, which names the port', async () => {
    const b = side()
    const port = await listening(b)
    const error = await side()
      .ports.listen('election', [{ host: LOCAL, port }])
      .catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(StartError)
    expect(String(error)).toContain(`cannot bind the election port ${LOCAL}:${port}: `)
    expect(error).toMatchObject({ exitCode: ExitCode.cannotBindQuorumPort })
  })

  it('are tried again until they are free', async () => {
    const b = side()
    const port = await listening(b)
    const c = side({ bindTriesMax: 0 })
    const bound = c.ports.listen('election', [{ host: LOCAL, port }])
    while (c.warnings.length === 0) await new Promise((resolve) => setImmediate(resolve))
    b.ports.stop()
    expect(await bound).toEqual([port])
    expect(c.warnings[0]).toMatchObject({ port: 'election', address: `${LOCAL}:${port}` })
  })

  it('can be on all addresses of the machine, once for each number', async () => {
    const b = side({ onAllAddresses: true })
    const [first = 0, ...rest] = await b.ports.listen('quorum', [
      { host: 'no-such-host.invalid', port: 0 },
      { host: 'another.invalid', port: 0 },
    ])
    expect(rest).toEqual([])
    const a = side()
    a.ports.dial(-1, 'quorum', [{ host: LOCAL, port: first }])
    await a.until(() => a.told.length > 0)
    expect(a.told).toEqual(['opened -1'])
  })

  it('are on every one of the configured addresses', async () => {
    const b = side()
    const bound = await b.ports.listen('quorum', [
      { host: LOCAL, port: 0 },
      { host: '127.0.0.2', port: 0 },
    ])
    expect(bound.length).toBe(2)
    const a = side()
    a.ports.dial(-1, 'quorum', [{ host: '127.0.0.2', port: bound[1] ?? 0 }])
    await a.until(() => a.told.length > 0)
    expect(a.told).toEqual(['opened -1'])
  })
})
