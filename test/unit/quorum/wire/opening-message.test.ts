import { describe, expect, it } from 'vitest'
import { decodeOpening, encodeOpening } from '../../../../src/quorum/wire/opening-message.ts'

const long = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}
const message = (sid: bigint, text: string, version = -65536n): Buffer => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(text.length)
  return Buffer.concat([long(version), long(sid), length, Buffer.from(text)])
}

describe('the first message on an election connection', () => {
  it('is read as it was written, whatever stands behind it', () => {
    const addresses = [
      { host: 'one', port: 3888 },
      { host: 'fe80::1', port: 3889 },
    ]
    for (const said of [addresses, addresses.slice(1)]) {
      const written = encodeOpening(3, said)
      const read = decodeOpening(Buffer.concat([written, Buffer.from('more')]))
      expect(read).toEqual({ sid: 3, addresses: said, bytes: written.length })
      for (let length = 0; length < written.length; length += 1)
        expect(decodeOpening(written.subarray(0, length))).toBeUndefined()
    }
  })

  it('is a bare sid from 3.4', () => {
    expect(decodeOpening(long(2n))).toEqual({ sid: 2, addresses: [], bytes: 8 })
  })

  it('comes from an observer without an id, too', () => {
    expect(decodeOpening(long(2n ** 63n - 1n))).toMatchObject({ sid: 'anonymous' })
  })

  it('leaves out addresses that lead nowhere', () => {
    const read = decodeOpening(message(3n, '0.0.0.0:3888|[::]:3888|real:3888', -65535n))
    expect(read).toMatchObject({ addresses: [{ host: 'real', port: 3888 }] })
  })

  it.each<[string, Buffer, string]>([
    ['an unknown version', message(3n, 'a:1', -65534n), 'unknown protocol version'],
    ['no address', message(3n, ''), 'invalid length of the address'],
    ['an address without end', message(3n, 'a'.repeat(2049)), 'invalid length of the address'],
    ['no port', message(3n, 'host'), 'invalid address'],
    ['a port beyond all ports', message(3n, 'host:65536'), 'invalid address'],
    ['a negative sid', message(-3n, 'host:1'), 'no such sid'],
    ['a sid beyond exact numbers', long(2n ** 53n), 'no such sid'],
  ])('with %s is refused', (_what, bytes, problem) => {
    expect(decodeOpening(bytes)).toBe(problem)
  })
})
