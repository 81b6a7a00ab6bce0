import { describe, expect, it } from 'vitest'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import type { UncheckedACL } from '../../../../src/data/records.ts'
import { writeCreateRequest, writeSetACLRequest } from '../../../../src/data/records.ts'
import { type MemoryClient, MemoryServer } from '../../../support/memory-server.ts'

const entry = (scheme: string | null, id: string | null): UncheckedACL[] => [
  { perms: 31, id: { scheme, id } },
]

function createWith(client: MemoryClient, acl: UncheckedACL[]): number {
  return client.call(OpCode.create, (w) =>
    writeCreateRequest(w, { path: '/n', data: null, acl, flags: 0 }),
  ).err
}

function logIn(client: MemoryClient, scheme: string | null): number {
  return client.call(
    OpCode.auth,
    (w) => {
      w.writeInt(0)
      w.writeString(scheme)
      w.writeBuffer(Buffer.from('bob:pw'))
    },
    -4,
  ).err
}

// Every answer here was seen on a 3.8.0 server; kazoo sends `auth` with a null id.
describe('a null string', () => {
  it('as the id of an ACL entry is an error only where the id means something', () => {
    const client = new MemoryServer().connect()
    expect(createWith(client, entry('world', null))).toBe(Err.marshallingError)
    expect(createWith(client, entry('digest', null))).toBe(Err.marshallingError)
    expect(createWith(client, entry('ip', null))).toBe(Err.marshallingError)
    expect(createWith(client, entry('auth', null))).toBe(Err.invalidACL)
    expect(createWith(client, entry(null, 'anyone'))).toBe(Err.invalidACL)
    expect(logIn(client, 'digest')).toBe(Err.ok)
    expect(createWith(client, entry('auth', null))).toBe(Err.ok)
  })

  it('in setACL is judged likewise', () => {
    const client = new MemoryServer().connect()
    const acl = entry('auth', null)
    const reply = client.call(OpCode.setACL, (w) =>
      writeSetACLRequest(w, { path: '/', acl, version: -1 }),
    )
    expect(reply.err).toBe(Err.invalidACL)
  })

  it('as the scheme of a login is a failed login', () => {
    const client = new MemoryServer().connect()
    expect(logIn(client, null)).toBe(Err.authFailed)
    expect(client.isClosed).toBe(true)
  })

  it('as the path is what each operation makes of it', () => {
    const client = new MemoryServer().connect()
    const path = client.call(OpCode.sync, (w) => w.writeString(null)).body.readNullableString()
    expect(path).toBeNull()
    const errOf = (op: number, rest: number[]): number =>
      client.call(op, (w) => {
        w.writeString(null)
        for (const value of rest) w.writeInt(value)
      }).err
    expect(errOf(OpCode.setData, [-1, -1])).toBe(Err.badArguments)
    expect(errOf(OpCode.setACL, [0, -1])).toBe(Err.badArguments)
    expect(errOf(OpCode.getData, [0])).toBe(Err.marshallingError)
    expect(errOf(OpCode.delete, [-1])).toBe(Err.marshallingError)
    expect(errOf(OpCode.create, [-1, 0, 0])).toBe(Err.marshallingError)
    // Flags are looked at first.
    expect(errOf(OpCode.create, [-1, 0, 9])).toBe(Err.badArguments)
    expect(errOf(OpCode.create2, [-1, 0, 5])).toBe(Err.unimplemented)
  })
})
