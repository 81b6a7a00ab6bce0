import { describe, expect, it } from 'vitest'
import { snappyBlockContent, snappyBlocks } from '../../../src/persistence/snappy-stream.ts'

/** The lengths of the blocks, and all that is in them. */
function read(blocks: Buffer): { lengths: number[]; content: Buffer | undefined } {
  const contents: Buffer[] = []
  for (let at = 0; at < blocks.length; ) {
    const end = at + 4 + blocks.readInt32BE(at)
    const content = snappyBlockContent(blocks.subarray(at + 4, end))
    if (content === undefined) return { lengths: [], content: undefined }
    contents.push(Buffer.from(content))
    at = end
  }
  return { lengths: contents.map(({ length }) => length), content: Buffer.concat(contents) }
}

describe('the blocks of a stream', () => {
  const KIB_32 = 32 * 1024
  it.each([
    [0, []],
    [1, [1]],
    [KIB_32, [KIB_32]],
    [2 * KIB_32 + 1, [KIB_32, KIB_32, 1]],
  ])('of %i bytes hold 32 KiB each, and give them back', (length, lengths) => {
    const content = Buffer.from(Array.from({ length }, (_, at) => (at * at) % 251))
    expect(read(snappyBlocks(content))).toEqual({ lengths, content })
  })

  it('are refused when they hold less than they claim', () => {
    // A length of 512 MiB as the varint that a block begins with, and hardly anything behind it.
    const short = Buffer.from([0x80, 0x80, 0x80, 0x80, 0x02, 0x00, 0x61])
    expect(snappyBlockContent(short)).toBeUndefined()
    expect(snappyBlockContent(Buffer.alloc(0))).toBeUndefined()
  })
})
