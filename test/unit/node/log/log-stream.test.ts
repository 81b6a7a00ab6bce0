import { spawnSync } from 'node:child_process'
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LOG_BUFFER_BYTES_MAX, LogStream } from '../../../../src/node/log/log-stream.ts'

const LINE = `${'x'.repeat(999)}\n`
const LINES = 4000

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'zk-log-stream-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

function telling(fd: number): LogStream {
  const stream = new LogStream(fd)
  stream.onDropped = (lines) => stream.write(`${lines} log lines dropped\n`)
  return stream
}

/** All lines went somewhere: they were written, or counted as dropped. Returns how many were. */
function droppedIn(text: string): number {
  const lines = text.split('\n').slice(0, -1)
  const whole = lines.filter((line) => line.length === 999).length
  const dropped = lines
    .flatMap((line) => /^(\d+) log lines dropped$/.exec(line)?.[1] ?? [])
    .map(Number)
  expect(dropped).toEqual([LINES - whole])
  return LINES - whole
}

describe('a pipe that nobody reads', () => {
  let reader = -1
  let stream: LogStream
  beforeEach(() => {
    const path = join(dir, 'pipe')
    spawnSync('mkfifo', [path])
    reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    stream = telling(openSync(path, 'w'))
  })
  afterEach(() => closeSync(reader))

  const takeAll = (): string => {
    const chunk = Buffer.alloc(1024 * 1024)
    let text = ''
    for (;;) {
      try {
        const bytes = readSync(reader, chunk)
        if (bytes === 0) return text
        text += chunk.toString('latin1', 0, bytes)
      } catch {
        return text
      }
    }
  }

  it('holds up nobody, and the lines above a bound are dropped and counted', async () => {
    for (let n = 0; n < LINES; n += 1) stream.write(LINE)
    let isEnded = false
    stream.end(() => {
      isEnded = true
    })
    await turn()
    expect(isEnded).toBe(false)
    stream.flush()
    let text = ''
    while (!isEnded) {
      text += takeAll()
      await turn()
    }
    text += takeAll()
    expect(text.length).toBeLessThan(LOG_BUFFER_BYTES_MAX + 128 * 1024)
  })

  it('that is read again is told how many were dropped', async () => {
    for (let n = 0; n < LINES; n += 1) stream.write(LINE)
    let text = ''
    while (!text.includes('dropped')) {
      text += takeAll()
      await turn()
    }
    expect(droppedIn(text)).toBeGreaterThan(LINES / 2)
    let isEnded = false
    stream.end(() => {
      isEnded = true
    })
    while (!isEnded) await turn()
  })

  it('whose reader has gone is written to all the same', async () => {
    closeSync(reader)
    for (let n = 0; n < LINES; n += 1) stream.write(LINE)
    await turn()
    stream.write(LINE)
    let isEnded = false
    stream.end(() => {
      isEnded = true
    })
    while (!isEnded) await turn()
    reader = openSync('/dev/null', 'r')
  })
})

it('a file that is too slow gets what there is room for, and how many lines were dropped', async () => {
  const path = join(dir, 'file')
  const stream = telling(openSync(path, 'w'))
  for (let n = 0; n < LINES; n += 1) stream.write(LINE)
  while (!readFileSync(path, 'latin1').includes('dropped')) await turn()
  await new Promise<void>((resolve) => stream.end(resolve))
  expect(droppedIn(readFileSync(path, 'latin1'))).toBeGreaterThan(LINES / 2)
})
