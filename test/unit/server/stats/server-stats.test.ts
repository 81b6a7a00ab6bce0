import { expect, test } from 'vitest'
import { SizeStats } from '../../../../src/base/sizes.ts'
import { CnxnStats, ServerStats } from '../../../../src/server/stats/server-stats.ts'

test('srst forgets latencies, sizes and packets, and keeps what counts connections', () => {
  const stats = new ServerStats()
  stats.latencyMs.add(5)
  stats.clientResponseBytes.add(16)
  stats.packetsReceived = 3
  stats.packetsSent = 2
  stats.authFailedCount = 1
  stats.reset()
  expect([stats.latencyMs.max, stats.latencyMs.averageText]).toEqual([0, '0.0'])
  expect(stats.clientResponseBytes.last).toBe(-1)
  expect([stats.packetsReceived, stats.packetsSent, stats.authFailedCount]).toEqual([0, 0, 1])
})

test('sizes are -1 before the first', () => {
  const sizes = new SizeStats()
  expect([sizes.last, sizes.min, sizes.max]).toEqual([-1, -1, -1])
  for (const bytes of [48, 87, 0, 20]) sizes.add(bytes)
  expect([sizes.last, sizes.min, sizes.max]).toEqual([20, 0, 87])
})

function latencies(stats: CnxnStats): readonly number[] {
  return [stats.lastLatencyMs, stats.minLatencyMs, stats.avgLatencyMs, stats.maxLatencyMs]
}

test('a connection remembers its last reply and the span of its latencies', () => {
  const stats = new CnxnStats()
  expect([stats.lastOp, stats.lastCxid, stats.lastZxid]).toEqual(['NA', -1, -1])
  stats.onReply('CREA', 1, 10, 100, 109)
  stats.onReply('GETD', 2, 11, 110, 112)
  stats.onReply('PING', -2, 12, 120, 124)
  expect([stats.lastOp, stats.lastCxid, stats.lastZxid]).toEqual(['PING', 2, 12])
  expect(stats.lastResponseMono).toBe(124)
  expect(latencies(stats)).toEqual([4, 2, 5, 9])
})

test('after crst the next reply starts anew', () => {
  const stats = new CnxnStats()
  stats.onReply('CREA', 1, 10, 100, 109)
  stats.onReply('CREA', 2, 11, 100, 103)
  stats.reset()
  expect(latencies(stats)).toEqual([0, 0, 0, 0])
  stats.onReply('PING', -2, 12, 120, 124)
  expect([stats.lastOp, stats.lastCxid]).toEqual(['PING', -1])
  expect(latencies(stats)).toEqual([4, 4, 4, 4])
})
