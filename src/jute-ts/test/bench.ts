// What one value costs: npm run bench --workspace jute-ts
// The smallest of many short slices, so that what else the machine does hardly shows.

import { FrameSplitter, JuteReader, JuteWriter } from 'jute-ts'
import {
  readGetDataRequest,
  readStat,
  type Stat,
  writeGetDataRequest,
  writeStat,
} from './every-type.ts'

const BATCH = 100
const WARM_UP_RUNS = 5000
const SLICES = 400
const SLICE_RUNS = 20

/** Keeps results alive, so that the optimizer cannot drop the work. */
let sink = 0

function measure(name: string, runBatch: () => number): void {
  for (let i = 0; i < WARM_UP_RUNS; i += 1) sink += runBatch()
  let best = Number.POSITIVE_INFINITY
  for (let slice = 0; slice < SLICES; slice += 1) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < SLICE_RUNS; i += 1) sink += runBatch()
    best = Math.min(best, Number(process.hrtime.bigint() - start))
  }
  const ns = best / SLICE_RUNS / BATCH
  console.log(`${name.padEnd(44)} ${ns.toFixed(1).padStart(7)} ns`)
}

function times(run: (index: number) => number): number {
  let sum = 0
  for (let i = 0; i < BATCH; i += 1) sum += run(i)
  return sum
}

const writer = new JuteWriter(64 * 1024)
const reader = new JuteReader()

function measureStat(name: string, stat: Stat): void {
  measure(`encode ${name}`, () => {
    writer.clear()
    return times(() => {
      writeStat(writer, stat)
      return writer.length
    })
  })
  const bytes = writer.copy()
  measure(`decode ${name}`, () => {
    reader.reset(bytes)
    return times(() => readStat(reader).version)
  })
}

function measureRequest(name: string, pathOf: (index: number) => string): void {
  const requests = Array.from({ length: BATCH }, (_, i) => ({ path: pathOf(i), watch: false }))
  measure(`encode GetDataRequest, ${name}`, () => {
    writer.clear()
    for (const request of requests) writeGetDataRequest(writer, request)
    return writer.length
  })
  const bytes = writer.copy()
  measure(`decode GetDataRequest, ${name}`, () => {
    reader.reset(bytes)
    return times(() => readGetDataRequest(reader).path.length)
  })
  const byPath = new Map(requests.map(({ path }, i) => [path, i]))
  measure(`decode and look up, ${name}`, () => {
    reader.reset(bytes)
    return times(() => byPath.get(readGetDataRequest(reader).path) ?? 0)
  })
}

function measureFrames(): void {
  writer.clear()
  for (let i = 0; i < BATCH; i += 1) {
    writer.writeInt(40)
    writer.reserve(40)
  }
  const bytes = writer.copy()
  const splitter = new FrameSplitter(1024 * 1024)
  const split = (chunk: Buffer): number => {
    let sum = 0
    splitter.push(chunk)
    while (splitter.next()) sum += splitter.end
    splitter.release()
    return sum
  }
  measure('split a frame of 40 bytes', () => split(bytes))
  const [head, tail] = [
    bytes.subarray(0, bytes.length / 2 + 7),
    bytes.subarray(bytes.length / 2 + 7),
  ]
  measure('the same, one frame of a hundred cut', () => split(head) + split(tail))
}

const stat: Stat = {
  czxid: 0x100000123,
  mzxid: 0x100000456,
  ctime: 1_700_000_000_000,
  mtime: 1_700_000_000_000,
  version: 3,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n,
  dataLength: 100,
  numChildren: 0,
  pzxid: 0x100000123,
}
const folder = '/app/config/services/nodes/region/0123456789012345678901234567890123456789'

measureStat('Stat', stat)
measureStat('Stat of an ephemeral', { ...stat, ephemeralOwner: 0x1234567812345678n })
for (const chars of [6, 12, 24, 40, 60])
  measureRequest(`path of ${chars}`, (i) => folder.slice(0, chars - 3) + (100 + i))
measureRequest('path of 12 x é', (i) => `/${'é'.repeat(11)}${i}`)
measureFrames()
if (Number.isNaN(sink)) throw new Error('a batch gave no number')
