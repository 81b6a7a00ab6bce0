import { expect, it } from 'vitest'
import { opClassOf } from '../../../src/data/op-class.ts'
import { OpCode } from '../../../src/data/op-code.ts'

it('what only the server asks for, or nobody, is unknown from a client', () => {
  const byClass = (wanted: string): string[] =>
    Object.entries(OpCode)
      .filter(([, op]) => opClassOf(op) === wanted)
      .map(([name]) => name)
  // auth and sasl come before all requests; a lone check has brought servers down.
  const unknown = ['error', 'check', 'deleteContainer', 'auth', 'sasl', 'createSession']
  expect(byClass('unknown')).toEqual(unknown)
  expect(byClass('sync')).toEqual(['sync'])
  expect([0, 10, -12, 2 ** 31 - 1].map(opClassOf)).toEqual(Array(4).fill('unknown'))
})

it('what changes the tree, or ends a session, goes to the leader', () => {
  const { closeSession, reconfig, multi, multiRead, getData, addWatch } = OpCode
  expect([closeSession, reconfig, multi].map(opClassOf)).toEqual(['write', 'write', 'write'])
  expect([multiRead, getData, addWatch].map(opClassOf)).toEqual(['read', 'read', 'read'])
})
