import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { JuteReader, JuteWriter } from 'jute-ts'
import { compile } from 'jute-ts/compiler'
import { describe, expect, it } from 'vitest'
import {
  readConnectRequest,
  readGetDataRequest,
  readGetEphemeralsRequest,
  readQuorumPacket,
  readReconfigRequest,
  readSetWatches,
} from '../../../src/data/records.ts'
import {
  type Transcode,
  transcodeElectionStream,
  transcodeLearnerStream,
  transcodeLog,
  transcodeSnapshot,
} from '../../support/transcode.ts'

const root = new URL('../../../', import.meta.url)
const pathTo = (name: string): string => fileURLToPath(new URL(name, root))
const bytesOf = (name: string): Buffer => readFileSync(pathTo(name))

/** What `transcode` returns, once it has shown that it wrote the very bytes it read. */
function same<T>(bytes: Buffer, transcode: Transcode<T>): T {
  const r = new JuteReader(bytes)
  const w = new JuteWriter()
  const result = transcode(r, w)
  expect(r.ok).toBe(true)
  expect(w.bytes().equals(bytes.subarray(0, r.at))).toBe(true)
  return result
}

describe('records.ts', () => {
  it('is what records.jute compiles to: else run npm run generate', () => {
    const compiled = compile(bytesOf('src/data/records.jute').toString(), 'records.jute')
    expect(compiled).toEqual({ ok: true, code: bytesOf('src/data/records.ts').toString() })
  })
})

describe('files of a real server are written again byte for byte', () => {
  const folder = 'test/golden/datadir-standalone/version-2/'
  const files = readdirSync(pathTo(folder))

  it.each(files.filter((name) => name.startsWith('log.')))('%s', (name) => {
    const bytes = bytesOf(folder + name)
    let end = 0
    const entries = same(bytes, (r, w) => {
      const count = transcodeLog(r, w)
      end = w.length
      r.at = w.length
      return count
    })
    expect(entries).toBeGreaterThan(10)
    expect(bytes.subarray(end).every((byte) => byte === 0)).toBe(true)
  })

  it.each(files.filter((name) => name.startsWith('snapshot.')))('%s', (name) => {
    const bytes = bytesOf(folder + name)
    const nodes = same(bytes, (r, w) => {
      const count = transcodeSnapshot(r, w)
      expect(r.remaining).toBe(0)
      return count
    })
    expect(nodes).toBeGreaterThanOrEqual(4)
  })
})

interface RecordedChunk {
  readonly conn: number
  readonly dir: 'c2s' | 's2c'
  readonly hex: string
}

/** All bytes of each side of each connection, in the order in which they began. */
function streamsOf(name: string): ReadonlyMap<string, Buffer> {
  const streams = new Map<string, Buffer>()
  for (const line of bytesOf(name).toString().trim().split('\n')) {
    const { conn, dir, hex }: Partial<RecordedChunk> = JSON.parse(line)
    if (hex === undefined) continue
    const key = `${conn} ${dir}`
    streams.set(key, Buffer.concat([streams.get(key) ?? Buffer.alloc(0), Buffer.from(hex, 'hex')]))
  }
  return streams
}

describe('what real servers said to each other is written again byte for byte', () => {
  it('to learners', () => {
    const seen = new Set<number>()
    const streams = streamsOf('test/golden/quorum/run3-fake-peers-learner.jsonl')
    expect(streams.size).toBe(6)
    for (const bytes of streams.values())
      same(bytes, (r, w) => {
        for (const type of transcodeLearnerStream(r, w)) seen.add(type)
        expect(r.remaining).toBe(0)
      })
    expect([...seen].sort((a, b) => a - b)).toEqual([
      1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 15, 16, 17, 18, 19,
    ])
  })

  it('in elections', () => {
    const streams = streamsOf('test/golden/quorum/run3-fake-peers-election.jsonl')
    let notifications = 0
    for (const [key, bytes] of streams)
      same(bytes, (r, w) => {
        notifications += transcodeElectionStream(key.endsWith('c2s'), r, w)
        expect(r.remaining).toBe(0)
      })
    expect(notifications).toBe(21)
  })
})

/** A failed read is what the server answers with MarshallingError. */
function isReadable(hex: string, read: (r: JuteReader) => unknown): boolean {
  const r = new JuteReader(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
  read(r)
  return r.ok && r.remaining === 0
}

describe('nulls and large numbers', () => {
  it('may be where clients send them', () => {
    expect(
      isReadable(
        '00000000 0000000000000000 00001388 0000000000000000 ffffffff',
        readConnectRequest,
      ),
    ).toBe(true)
    expect(isReadable('ffffffff', readGetEphemeralsRequest)).toBe(true)
    expect(isReadable('ffffffff 00000001 33 ffffffff ffffffffffffffff', readReconfigRequest)).toBe(
      true,
    )
    expect(isReadable('00000003 ffffffffffffffff ffffffff ffffffff', readQuorumPacket)).toBe(true)
  })

  it('may not be elsewhere', () => {
    expect(isReadable('ffffffff 00', readGetDataRequest)).toBe(false)
    expect(isReadable('0000000000000000 ffffffff 00000000 00000000', readSetWatches)).toBe(false)
    expect(isReadable('7fffffffffffffff 00000000 00000000 00000000', readSetWatches)).toBe(false)
  })
})
