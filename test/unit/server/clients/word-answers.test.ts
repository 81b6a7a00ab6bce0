import { describe, expect, it } from 'vitest'
import { MemberView } from '../../../../src/admin/member-view.ts'
import { WordRunner } from '../../../../src/admin/word-runner.ts'
import { LONG_WORDS_MAX, WORD_SLICE_CHARS, WORD_STALL_MS_MAX } from '../../../../src/base/limits.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import type { FourLetterWords } from '../../../../src/server/clients/first-bytes.ts'
import { configOf, MemoryServer } from '../../../support/memory-server.ts'
import { exists } from '../../../support/requests.ts'
import { makeView } from '../../../support/view-fixture.ts'

const PAUSE_BYTES = 100_000

/** Counts what was asked of it: the answer is so many lines of 100 characters. */
class Lines {
  made = 0
  readonly #lines: number
  readonly #text: string

  constructor(lines: number, text: string = `${'x'.repeat(99)}\n`) {
    this.#lines = lines
    this.#text = text
  }

  get words(): FourLetterWords {
    return {
      wordOf: () => 'long',
      extraBytes: () => 0,
      run: () => this.#pieces(),
      silenceMsMax: 1000,
    }
  }

  *#pieces(): Iterable<string> {
    for (let n = 0; n < this.#lines; n += 1) {
      this.made += 1
      yield this.#text
    }
  }
}

/** What the answer has grown by in each turn. */
function madeByTurn(server: MemoryServer, lines: Lines): number[] {
  const byTurn: number[] = []
  const { loop } = server
  const original = server.afterThisTurn.bind(server)
  server.afterThisTurn = (fn) =>
    original(() => {
      const before = lines.made
      fn()
      byTurn.push(lines.made - before)
    })
  loop.enter(() => {})
  return byTurn
}

describe('a long answer', () => {
  it('is made a slice a turn, and ends the connection', () => {
    const lines = new Lines(2000)
    const server = new MemoryServer({ words: lines.words })
    const client = server.open()
    const byTurn = madeByTurn(server, lines)
    client.sendBytes(Buffer.from('long'))
    expect(client.received.toString()).toBe(`${'x'.repeat(99)}\n`.repeat(2000))
    expect(client.isClosed).toBe(true)
    expect(Math.max(...byTurn)).toBe(Math.ceil(WORD_SLICE_CHARS / 100))
    expect(byTurn.reduce((sum, made) => sum + made)).toBe(2000)
  })

  it('counts what says nothing as work, too', () => {
    const lines = new Lines(20_000, '')
    const server = new MemoryServer({ words: lines.words })
    const client = server.open()
    const byTurn = madeByTurn(server, lines)
    client.sendBytes(Buffer.from('long'))
    expect(client.isClosed).toBe(true)
    expect(Math.max(...byTurn)).toBe(WORD_SLICE_CHARS / 16)
  })

  it('waits for its client, and whatever else that sends is nothing', () => {
    const lines = new Lines(20_000)
    const limits = { replyBytesPause: PAUSE_BYTES }
    const server = new MemoryServer({ words: lines.words, limits })
    const client = server.open()
    client.isStuck = true
    client.sendBytes(Buffer.from('long'))
    client.sendBytes(Buffer.from('more'))
    expect(client.received.length).toBeLessThan(PAUSE_BYTES + 2 * WORD_SLICE_CHARS)
    server.pass(WORD_STALL_MS_MAX - 100)
    expect(client.isClosed).toBe(false)
    client.drain()
    expect(client.received.length).toBe(2_000_000)
    expect(client.isClosed).toBe(true)
  })

  it('is cut off when its client takes nothing for too long', () => {
    const limits = { replyBytesPause: PAUSE_BYTES }
    const server = new MemoryServer({ words: new Lines(20_000).words, limits })
    const client = server.open()
    client.isStuck = true
    client.sendBytes(Buffer.from('long'))
    server.pass(WORD_STALL_MS_MAX + 100)
    expect(client.isClosed).toBe(true)
  })

  it('waits while so many others are made', () => {
    const limits = { replyBytesPause: PAUSE_BYTES }
    const server = new MemoryServer({ words: new Lines(20_000).words, limits })
    const slow = Array.from({ length: LONG_WORDS_MAX }, () => server.open())
    for (const client of slow) {
      client.isStuck = true
      client.sendBytes(Buffer.from('long'))
    }
    const last = server.open()
    last.sendBytes(Buffer.from('long'))
    expect(last.received.length).toBe(0)
    slow[0]?.vanish()
    server.pass(50)
    expect(last.received.length).toBe(2_000_000)
  })
})

describe('wchp', () => {
  it('tells all watches while they come and go, and ends', () => {
    const settings = { '4lw.commands.whitelist': '*' }
    const words = new WordRunner(configOf(settings))
    const server = new MemoryServer({ settings, words })
    const build = { version: '3.9', builtOn: 'today' }
    words.attach(new MemberView(server.member, build, makeView().host, () => 2181))
    const watching = server.connect()
    const cnxn = server.member.clients.cnxnOf(watching.sessionId)
    if (cnxn === undefined) throw new Error('no connection')
    const { table } = server.member.watches
    for (let n = 0; n < 50_000; n += 1) table.addData(`/node-${n}`, cnxn)
    const asking = server.open()
    const turns = madeByTurn(server, new Lines(0))
    // In each turn the oldest watch of all is set anew, which brings it to the end.
    const original = server.writeClient.bind(server)
    let moved = 0
    server.writeClient = (id, bytes) => {
      for (let n = 0; n < 5000; n += 1) {
        table.triggerDataChanged(`/node-${moved}`, () => {})
        table.addData(`/node-${moved}`, cnxn)
        moved = (moved + 1) % 50_000
      }
      return original(id, bytes)
    }
    asking.sendBytes(Buffer.from('wchp'))
    expect(asking.isClosed).toBe(true)
    const lines = asking.received.toString().split('\n')
    expect(lines.filter((line) => line.startsWith('/')).length).toBe(50_000)
    expect(turns.length).toBeGreaterThan(10)
    // Nobody else has waited for it.
    expect(watching.call(OpCode.exists, exists('/')).err).toBe(0)
  })
})
