import { expect, it } from 'vitest'
import { parseServerLine } from '../../../src/server/config-servers.ts'

it('reads the forms of a server line', () => {
  const participant = { role: 'participant', clientPort: undefined, clientAddress: undefined }
  expect(parseServerLine('host:2888:3888')).toEqual(participant)
  expect(parseServerLine('host:2888:3888:Participant')).toEqual(participant)
  expect(parseServerLine('a:2888:3888|b:2888:3888')).toEqual(participant)
  expect(parseServerLine('host:2888:3888:observer;2181')).toEqual({
    role: 'observer',
    clientPort: 2181,
    clientAddress: undefined,
  })
  expect(parseServerLine('[fe80::1]:2888:3888;[::1]:2181;2281')).toEqual({
    role: 'participant',
    clientPort: 2181,
    clientAddress: '::1',
  })
  expect(parseServerLine('h:1:2;0.0.0.0:2181')).toMatchObject({ clientAddress: undefined })
  expect(parseServerLine('h:1:2;;2281')).toMatchObject({ clientPort: undefined })
})

it.each([
  ['', /form/],
  ['host', /form/],
  ['host:2888', /form/],
  ['host:2888:3888:observer:x', /form/],
  ['host:2888:3888;1;2;3', /form/],
  ['[::1:2888:3888', /form/],
  ['[::1]2888:3888', /form/],
  [':2888:3888', /no host/],
  ['host:x:3888', /two ports/],
  ['host:2888:65536', /two ports/],
  ['host:0:3888', /two ports/],
  ['host:2888:2888', /different ports/],
  ['host:2888:3888:leader', /leader, which is neither/],
  ['a:1:2:observer|b:1:2', /different roles/],
  ['host:2888:3888;host', /after ';'/],
  ['host:2888:3888;a:b:1', /after ';'/],
  ['host:2888:3888;1;x', /after ';'/],
])('refuses %s', (text, problem) => {
  expect(parseServerLine(text)).toMatch(problem)
})
