import { execFileSync } from 'node:child_process'
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Apache } from './apache.ts'
import { median } from './median.ts'

/** What the numbers were made on; without it they say nothing. */
export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memoryBytes: number
  readonly kernel: string
  readonly node: string
  readonly java: string | undefined
  readonly apache: string | undefined
  readonly version: string
  readonly date: string
  /** Median time of an fdatasync after a 4 KiB write, in microseconds. */
  readonly fdatasyncUs: number
}

export function describeMachine(directory: string, apache: Apache | undefined): Machine {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    java: apache === undefined ? undefined : javaVersion(),
    apache: apache?.version,
    version: /"version": "([^"]+)"/.exec(manifest)?.[1] ?? 'unknown',
    date: new Date().toISOString().slice(0, 10),
    fdatasyncUs: fdatasyncUs(directory),
  }
}

const javaVersion = (): string =>
  execFileSync('java', ['--version'], { encoding: 'utf8' }).split('\n')[0] ?? 'unknown'

function fdatasyncUs(directory: string): number {
  const path = join(directory, 'fdatasync')
  const file = openSync(path, 'w')
  const block = Buffer.alloc(4096, 1)
  const timesUs: number[] = []
  for (let turn = 0; turn < 200; turn += 1) {
    writeSync(file, block)
    const start = performance.now()
    fdatasyncSync(file)
    timesUs.push((performance.now() - start) * 1000)
  }
  closeSync(file)
  rmSync(path)
  return median(timesUs)
}
