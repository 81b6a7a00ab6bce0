import { expect, it } from 'vitest'
import { crashTest } from '../system/crash-test.ts'
import { ensureBuilt } from './harness/repository.ts'

it('survives kill -9 under load', async () => {
  await ensureBuilt()
  const result = await crashTest(10, 20_261_122, () => {})
  // Otherwise nothing was proved.
  expect(result.acknowledged).toBeGreaterThan(1000)
})
