import { describe, expect, it } from 'vitest'
import { Chance } from './chance.ts'
import { EventHeap } from './event-heap.ts'
import { SimNetwork, type Socket } from './network.ts'

/** One end of a connection, and all that it was told. */
interface End {
  socket: Socket | undefined
  received: string
  chunks: number
  readonly told: string[]
}

const newEnd = (): End => ({ socket: undefined, received: '', chunks: 0, told: [] })

const eventsOf = (
  end: End,
): {
  onOpened: () => void
  onBytes: (bytes: Buffer) => void
  onClosed: () => void
  onDrained: () => void
} => ({
  onOpened: () => end.told.push('opened'),
  onBytes: (bytes) => {
    end.received += bytes.toString()
    end.chunks += 1
  },
  onClosed: () => end.told.push('closed'),
  onDrained: () => end.told.push('drained'),
})

class Two {
  readonly heap: EventHeap = new EventHeap()
  readonly network: SimNetwork
  readonly a: End = newEnd()
  readonly b: End = newEnd()

  constructor(seed = 1, cutShare = 0.3) {
    const rates = { latencyMs: 1, jitterMs: 2, cutShare, windowBytes: 65_536 }
    this.network = new SimNetwork(this.heap, new Chance(seed, 'network'), rates)
    this.network.listen('b', 'quorum', (socket) => {
      this.b.socket = socket
      return eventsOf(this.b)
    })
  }

  dial(port = 'quorum'): Socket {
    const socket = this.network.dial('a', 'b', port, eventsOf(this.a))
    this.a.socket = socket
    return socket
  }

  pass(ms: number): void {
    this.heap.runUntil(this.heap.now + ms)
  }
}

describe('the simulated network', () => {
  it('goes on to send what a closed end has left, when the way is free again', () => {
    const two = new Two()
    const socket = two.dial()
    two.pass(20)
    two.network.setBlocked('a', 'b', true)
    socket.send(Buffer.from('last'))
    socket.close()
    two.pass(1000)
    expect([two.b.received, two.b.told]).toEqual(['', []])
    two.network.healAll()
    two.pass(20)
    expect([two.b.received, two.b.told]).toEqual(['last', ['closed']])
  })

  it('delivers bytes in order, in pieces that are not those that were sent', () => {
    const chunks = new Set<number>()
    for (let seed = 1; seed <= 20; seed += 1) {
      const two = new Two(seed)
      const socket = two.dial()
      let sent = ''
      for (let i = 0; i < 50; i += 1) {
        const text = `<${i}>`
        sent += text
        // Some before it is open: the system keeps them.
        socket.send(Buffer.from(text))
        if (i % 10 === 0) two.pass(3)
      }
      two.pass(1000)
      expect(two.b.received).toBe(sent)
      chunks.add(two.b.chunks)
    }
    expect(chunks.size).toBeGreaterThan(1)
  })

  it('ends a connection behind what was sent', () => {
    const two = new Two()
    const socket = two.dial()
    two.pass(100)
    socket.send(Buffer.from('last words'))
    socket.close()
    two.pass(100)
    expect(two.b.received).toBe('last words')
    expect(two.b.told).toEqual(['closed'])
    expect(two.a.told).not.toContain('closed')
  })

  it('refuses where nobody listens, and lets those wait who dial into nothing', () => {
    const two = new Two()
    two.dial('election')
    two.pass(100)
    expect(two.a.told).toEqual(['closed'])
    const other = newEnd()
    two.network.dial('a', 'nowhere', 'quorum', eventsOf(other))
    two.pass(1000)
    expect(other.told).toEqual([])
    two.pass(1000)
    expect(other.told).toEqual(['closed'])
  })

  it('holds what is under way while one direction is blocked', () => {
    const two = new Two()
    const socket = two.dial()
    two.pass(100)
    two.network.setBlocked('a', 'b', true)
    socket.send(Buffer.from('there'))
    two.b.socket?.send(Buffer.from('back'))
    two.pass(10_000)
    expect([two.a.received, two.b.received]).toEqual(['back', ''])
    two.network.setBlocked('a', 'b', false)
    two.pass(100)
    expect(two.b.received).toBe('there')
  })

  it('opens nothing across a direction that is blocked', () => {
    for (const [from, to] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      const two = new Two()
      two.network.setBlocked(from, to, true)
      two.dial()
      two.pass(5000)
      expect(two.a.told).toEqual(['closed'])
      expect(two.b.socket).toBe(undefined)
    }
  })

  it('gives up a dial whose answer is lost with the computer that gave it', () => {
    const two = new Two()
    two.dial()
    while (two.b.socket === undefined) two.heap.step()
    two.network.dropHost('b', false)
    two.pass(5000)
    expect(two.a.told).toEqual(['closed'])
  })

  it('tells one end of a reset, or both', () => {
    for (const isTold of [true, false]) {
      const two = new Two()
      const socket = two.dial()
      two.pass(100)
      two.b.socket?.send(Buffer.from('never seen'))
      socket.reset(isTold)
      two.pass(100)
      expect(two.a.told).toEqual(['opened', 'closed'])
      expect(two.a.received).toBe('')
      if (isTold) expect(two.b.told).toEqual(['closed'])
    }
  })

  it('leaves a half-open end in its belief until it sends', () => {
    const two = new Two()
    const socket = two.dial()
    two.pass(100)
    socket.reset(false)
    two.network.listen('a', 'any', () => eventsOf(newEnd()))
    two.pass(100_000)
    expect(two.b.told).toEqual([])
    two.b.socket?.send(Buffer.from('are you there?'))
    two.pass(100)
    expect(two.b.told).toEqual(['closed'])
  })

  it('says that bytes wait when the far end does not read, and when they do no longer', () => {
    const two = new Two(1, 0)
    const socket = two.dial()
    two.pass(100)
    two.b.socket?.pause(true)
    expect(socket.send(Buffer.alloc(60_000))).toBe(0)
    expect(socket.send(Buffer.alloc(60_000))).toBe(120_000 - 65_536)
    two.pass(1000)
    expect([two.b.received.length, two.a.told]).toEqual([0, ['opened']])
    two.b.socket?.pause(false)
    two.pass(1000)
    expect([two.b.received.length, two.a.told]).toEqual([120_000, ['opened', 'drained']])
  })

  it('closes the connections of a process that was killed, and not those of a lost computer', () => {
    for (const isTold of [true, false]) {
      const two = new Two()
      two.dial()
      two.pass(100)
      two.network.dropHost('b', isTold)
      two.pass(10_000)
      expect(two.a.told).toEqual(isTold ? ['opened', 'closed'] : ['opened'])
    }
  })

  it('delivers nothing to a host that stands still', () => {
    const two = new Two()
    const socket = two.dial()
    two.pass(100)
    two.network.stall('b', two.heap.now + 500)
    socket.send(Buffer.from('x'))
    two.pass(499)
    expect(two.b.received).toBe('')
    two.pass(10)
    expect(two.b.received).toBe('x')
  })

  it('tells the end that closes nothing more', () => {
    const two = new Two()
    const socket = two.dial()
    two.pass(100)
    two.b.socket?.send(Buffer.from('late'))
    socket.close()
    two.pass(1000)
    expect([two.a.received, two.a.told]).toEqual(['', ['opened']])
  })

  it('does the same again from the same seed', () => {
    const story = (seed: number): string => {
      const two = new Two(seed)
      const socket = two.dial()
      for (let i = 0; i < 30; i += 1) socket.send(Buffer.from(`message ${i}`))
      const lengths: number[] = []
      while (two.heap.step()) lengths.push(two.b.received.length, two.heap.now)
      return lengths.join(' ')
    }
    expect(story(7)).toBe(story(7))
    expect(story(7)).not.toBe(story(8))
  })
})
