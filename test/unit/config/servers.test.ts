import { expect, it } from 'vitest'
import { parseServerLine } from '../../../src/config/servers.ts'

it('reads the forms of a server line', () => {
  const participant = {
    role: 'participant',
    quorumAddresses: [{ host: 'host', port: 2888 }],
    electionAddresses: [{ host: 'host', port: 3888 }],
    clientPort: undefined,
    clientAddress: undefined,
    hasSecurePort: false,
    text: 'host:2888:3888:participant',
  }
  expect(parseServerLine('host:2888:3888')).toEqual(participant)
  expect(parseServerLine(' host : 2888:3888:Participant ')).toEqual(participant)
  expect(parseServerLine('host:2888:3888:observer;2181')).toMatchObject({
    role: 'observer',
    clientPort: 2181,
    clientAddress: undefined,
  })
  expect(parseServerLine('[fe80::1]:2888:3888;[::1]:2181;2281')).toMatchObject({
    role: 'participant',
    quorumAddresses: [{ host: 'fe80::1', port: 2888 }],
    clientPort: 2181,
    clientAddress: '::1',
    hasSecurePort: true,
  })
  expect(parseServerLine('h:1:2;0.0.0.0:2181')).toMatchObject({ clientAddress: undefined })
  expect(parseServerLine('h:1:2;;2281')).toMatchObject({ clientPort: undefined })
})

it('takes several addresses in the order of the line', () => {
  expect(parseServerLine('b:1:2:observer|a:3:4:observer;5')).toMatchObject({
    role: 'observer',
    quorumAddresses: [
      { host: 'b', port: 1 },
      { host: 'a', port: 3 },
    ],
    electionAddresses: [
      { host: 'b', port: 2 },
      { host: 'a', port: 4 },
    ],
    text: 'a:3:4|b:1:2:observer;0.0.0.0:5',
  })
})

it.each([
  ['127.0.0.1:31401:31411', '127.0.0.1:31401:31411:participant'],
  ['h:1:2:OBSERVER', 'h:1:2:observer'],
  ['h:1:2;2181', 'h:1:2:participant;0.0.0.0:2181'],
  ['h:1:2;127.0.0.1:31421', 'h:1:2:participant;127.0.0.1:31421'],
  ['[::1]:1:2;[::2]:3', '[::1]:1:2:participant;[::2]:3'],
  ['h:1:2;3;4', 'h:1:2:participant;0.0.0.0:3;0.0.0.0:4'],
  ['h:1:2;;a:4', 'h:1:2:participant;;a:4'],
])('shows %s as %s', (line, text) => {
  expect(parseServerLine(line)).toMatchObject({ text })
  expect(parseServerLine(text)).toMatchObject({ text })
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
