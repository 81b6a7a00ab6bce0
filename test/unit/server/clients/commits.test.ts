import { expect, it } from 'vitest'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { isSessionMoved } from '../../../../src/server/clients/commits.ts'

it('a write of a session that has moved says so, alone or as a part', () => {
  const error = (err: Err) => ({ type: OpCode.error, err }) as const
  const moved = error(Err.sessionMoved)
  const multi = (...txns: readonly ReturnType<typeof error>[]) =>
    ({ type: OpCode.multi, txns }) as const
  expect([moved, multi(error(Err.noNode), moved)].map(isSessionMoved)).toEqual([true, true])
  const others = [error(Err.noNode), multi(), multi(error(Err.noNode))]
  expect(others.some(isSessionMoved)).toBe(false)
})
