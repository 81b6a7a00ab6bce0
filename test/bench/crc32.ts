/**
 * Ours against zlib's crc32, in nanoseconds a call: why base/crc32.ts takes ours for small inputs.
 *   npx tsx --conditions=source test/bench/crc32.ts
 */
import { crc32 as zlibCrc32 } from 'node:zlib'
import { crc32ByTables } from '../../src/base/crc32.ts'

const SIZES = [16, 64, 256, 512, 4096, 65_536, 1_048_576]
const BYTES_PER_SIZE = 5e7

function nanosOf(rounds: number, call: () => number): number {
  let sum = 0
  for (let i = 0; i < rounds / 4; i += 1) sum ^= call()
  const start = process.hrtime.bigint()
  for (let i = 0; i < rounds; i += 1) sum ^= call()
  const nanos = Number(process.hrtime.bigint() - start) / rounds
  return sum === 0.5 ? 0 : nanos
}

process.stdout.write('bytes  ours  zlib\n')
for (const size of SIZES) {
  const bytes = Buffer.alloc(size, 7)
  const rounds = Math.max(100, Math.floor(BYTES_PER_SIZE / (size + 100)))
  const ours = nanosOf(rounds, () => crc32ByTables(bytes, 0, size, 0))
  const zlib = nanosOf(rounds, () => zlibCrc32(bytes))
  process.stdout.write(`${size}  ${Math.round(ours)}  ${Math.round(zlib)}\n`)
}
