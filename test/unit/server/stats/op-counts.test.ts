import { expect, it } from 'vitest'
import { OpCode } from '../../../../src/data/op-code.ts'
import { OpCounts } from '../../../../src/server/stats/op-counts.ts'
import { makeServerMetrics } from '../../../../src/server/stats/server-metrics.ts'

it('counts each request by its kind and in all, and no code that is none', () => {
  const metrics = makeServerMetrics()
  const counts = new OpCounts(metrics)
  const { create, create2, createTTL, getChildren2, closeSession, whoAmI } = OpCode
  for (const op of [create, create2, createTTL, getChildren2, closeSession, whoAmI]) counts.add(op)
  for (const op of [OpCode.error, -12, 10, 9999]) counts.add(op)
  const of = [
    metrics.opCountCreate,
    metrics.opCountGetChildren,
    metrics.opCountCloseSession,
    metrics.opCountWhoAmI,
    metrics.opCountDelete,
    metrics.opCountTotal,
  ]
  expect(of.map(({ value }) => value)).toEqual([3, 1, 1, 1, 0, 6])
})
