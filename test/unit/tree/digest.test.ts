import { describe, expect, it } from 'vitest'
import { crc32 } from '../../../src/base/crc32.ts'
import { openAcl } from '../../../src/data/acl.ts'
import { nodeDigest } from '../../../src/tree/digest.ts'
import { Znode } from '../../../src/tree/znode.ts'

const acl = { acl: openAcl, key: '', nodes: 1 }

describe('the digest of a node', () => {
  it('covers the whole path from the first time on, however long and whatever its letters', () => {
    for (const name of ['a'.repeat(100), 'b'.repeat(1000), 'ü'.repeat(3000), 'c'.repeat(20_000)]) {
      const path = Buffer.from(`/${name}`)
      const expected = crc32(Buffer.concat([path, Buffer.alloc(60)]), 0, path.length + 60)
      expect(nodeDigest(`/${name}`, new Znode(null, acl, 0n, 0, 0))).toBe(expected)
    }
  })
})
