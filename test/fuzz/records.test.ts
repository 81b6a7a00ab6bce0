import fc from 'fast-check'
import { JuteReader, JuteWriter } from 'jute-ts'
import { describe, expect, it, vi } from 'vitest'
import * as records from '../../src/data/records.ts'
import { damage, fuzzRuns, fuzzTimeoutMs, recordBytes } from './arbitraries.ts'

vi.setConfig({ testTimeout: fuzzTimeoutMs })

type Read = (r: JuteReader) => unknown
type Write = (w: JuteWriter, value: unknown) => void
type Named<T> = [name: string, value: T]

const isRead = (entry: Named<unknown>): entry is Named<Read> => entry[0].startsWith('read')
const isWrite = (entry: Named<unknown>): entry is Named<Write> => entry[0].startsWith('write')

const all: Named<unknown>[] = Object.entries(records)
const writes = new Map(all.filter(isWrite))
const codecs = all.filter(isRead).map(([readName, read]) => {
  const name = readName.slice('read'.length)
  return { name, read, write: writes.get(`write${name}`) }
})

function writeAll(write: Write, value: unknown): Buffer {
  const w = new JuteWriter()
  write(w, value)
  return w.buffer.subarray(0, w.length)
}

/** Elements of all lists in a value: what a small input must not be able to make large. */
function elementsIn(value: unknown): number {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return 0
  const inner: unknown[] = Object.values(value)
  const own = Array.isArray(value) ? inner.length : 0
  return inner.reduce<number>((sum, item) => sum + elementsIn(item), own)
}

/** Never a throw; a value that can be written and read back, or a refusal. */
function checkAnyBytes(read: Read, write: Write, bytes: Buffer): void {
  const r = new JuteReader(bytes)
  const value = read(r)
  expect(elementsIn(value)).toBeLessThanOrEqual(bytes.length)
  if (!r.ok) {
    expect(r.remaining).toBe(0)
    return
  }
  expect(r.at).toBeLessThanOrEqual(bytes.length)
  const rewritten = writeAll(write, value)
  const again = new JuteReader(rewritten)
  expect(read(again)).toEqual(value)
  expect([again.ok, again.remaining]).toEqual([true, 0])
}

describe('records', () => {
  it('are all here, each with its writer', () => {
    expect(codecs.length).toBeGreaterThan(70)
    expect(codecs.filter(({ write }) => write === undefined)).toEqual([])
  })
})

describe.each(codecs)('any bytes read as $name', ({ read, write }) => {
  if (write === undefined) return

  it('give a value that survives being written, or a refusal', () => {
    fc.assert(
      fc.property(recordBytes, (bytes) => checkAnyBytes(read, write, bytes)),
      { numRuns: fuzzRuns },
    )
  })

  it('also where they were a record before', () => {
    fc.assert(
      fc.property(recordBytes, damage, (bytes, damaged) => {
        const r = new JuteReader(bytes)
        const value = read(r)
        // A failed read still gives a value of the right shape, all zeros, which is a fine start.
        checkAnyBytes(read, write, damaged(writeAll(write, value)))
      }),
      { numRuns: fuzzRuns },
    )
  })
})
