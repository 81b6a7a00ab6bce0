import { JuteWriter } from 'jute-ts'
import { expect, it } from 'vitest'
import { Err } from '../../../../src/data/error-code.ts'
import { beginReply, endReply } from '../../../../src/server/clients/replies.ts'

it('a reply that has become an error has no body, and the one before it stays', () => {
  const w = new JuteWriter()
  const first = beginReply(w, 1, 2 ** 32 + 5, Err.ok)
  w.writeString('body')
  endReply(w, first, Err.ok)
  const second = beginReply(w, -3, 6, Err.ok)
  w.writeString('half a body')
  endReply(w, second, Err.noNode)
  const header = '00000001' + '0000000100000005' + '00000000'
  const error = 'fffffffd' + '0000000000000006' + 'ffffff9b'
  const body = `00000004${Buffer.from('body').toString('hex')}`
  expect(w.copy().toString('hex')).toBe(`00000018${header}${body}00000010${error}`)
})
