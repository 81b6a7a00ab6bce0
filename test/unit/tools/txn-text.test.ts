import { describe, expect, it } from 'vitest'
import { openAcl } from '../../../src/data/acl.ts'
import { OpCode } from '../../../src/data/op-code.ts'
import type { Txn } from '../../../src/data/txn.ts'
import { escapeControls, txnLine, txnTypeName } from '../../../src/tools/txn-text.ts'

const line = (txn: Txn | undefined, type: number = txn?.type ?? 77): string =>
  txnLine({ clientId: -1n, cxid: -2, zxid: 2 ** 32 + 3, time: 0, type }, txn)

const created = {
  path: '/n',
  data: Buffer.from('x\ny'),
  acl: openAcl,
  ephemeral: true,
  parentCVersion: 4,
  ttl: 0n,
} as const

describe('a txn as a line', () => {
  it('begins with who and when, negative numbers without a sign', () => {
    expect(line(undefined)).toMatch(
      / session 0xffffffffffffffff cxid 0xfffffffffffffffe zxid 0x100000003 unknown 77 $/,
    )
  })

  it('shows what it does, in one line whatever the data', () => {
    expect(line({ type: OpCode.create, ...created })).toMatch(
      / create \/n,x\\ny,\[31,s\{'world,'anyone\}\],true,4$/,
    )
    expect(line({ type: OpCode.closeSession, paths2Delete: ['/a', '/b,}'] })).toMatch(
      / closeSession v\{'\/a,'\/b%2C%7D\}$/,
    )
  })

  it('shows the parts of a multi', () => {
    const error: Txn = { type: OpCode.error, err: -101 }
    const remove: Txn = { type: OpCode.delete, path: '/n' }
    expect(line({ type: OpCode.multi, txns: [remove, error] })).toMatch(
      / multi delete:\/n;error:-101$/,
    )
  })
})

it('what would break a line or a terminal is escaped', () => {
  expect(escapeControls('a\tb\u001b[0m\u2028c é')).toBe('a\\tb\\u001b[0m\\u2028c é')
  expect([txnTypeName(OpCode.createTTL), txnTypeName(99)]).toEqual(['createTTL', 'unknown 99'])
})
