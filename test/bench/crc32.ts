/**
 * Ours against zlib's crc32, in nanoseconds a call: why base/crc32.ts takes ours for small inputs. It is
 * handed larger ones in pieces, as it would call zlib itself.
 *   npx tsx --conditions=source test/bench/crc32.ts
 */
import { crc32 as zlibCrc32 } from 'node:zlib'
import { crc32 } from '../../src/base/crc32.ts'

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

const PIECE_BYTES = 500

function byPieces(bytes: Buffer): number {
  let crc = 0
  for (let at = 0; at < bytes.length; at += PIECE_BYTES)
    crc = crc32(bytes, at, Math.min(at + PIECE_BYTES, bytes.length), crc)
  return crc
}

process.stdout.write('bytes  ours  zlib\n')
for (const size of SIZES) {
  const bytes = Buffer.alloc(size, 7)
  const rounds = Math.max(100, Math.floor(BYTES_PER_SIZE / (size + 100)))
  const ours = nanosOf(rounds, () => byPieces(bytes))
  const zlib = nanosOf(rounds, () => zlibCrc32(bytes))
  process.stdout.write(`${size}  ${Math.round(ours)}  ${Math.round(zlib)}\n`)
}
