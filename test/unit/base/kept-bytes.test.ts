import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keptCopy, SHARED_BYTES_MAX, SLAB_BYTES } from '../../../src/base/kept-bytes.ts'

describe('a copy that is kept for long', () => {
  it('shares a small slab with others of its kind, and with nothing else', () => {
    const small = keptCopy(Buffer.from('small'))
    for (let i = 0; i < 100; i += 1) Buffer.from('short-lived')
    expect(small.buffer.byteLength).toBe(SLAB_BYTES)
    expect(keptCopy(Buffer.alloc(SHARED_BYTES_MAX)).buffer.byteLength).toBe(SLAB_BYTES)
    const large = keptCopy(Buffer.alloc(SHARED_BYTES_MAX + 1))
    expect(large.buffer.byteLength).toBe(SHARED_BYTES_MAX + 1)
  })

  it('is never written over by another', () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 1100 }), { maxLength: 40 })
    fc.assert(
      fc.property(pieces, (all) => {
        const copies = all.map((bytes) => keptCopy(Buffer.from(bytes)))
        expect(copies.map((copy) => copy.toString('hex'))).toEqual(
          all.map((bytes) => Buffer.from(bytes).toString('hex')),
        )
      }),
      { numRuns: 50 },
    )
  })
})
