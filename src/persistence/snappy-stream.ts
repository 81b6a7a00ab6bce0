import { SNAPPY_BLOCK_BYTES_MAX, snappyBytesMax, snappyDecode, snappyEncode } from './snappy.ts'

/**
 * The stream of snappy-java (spec 02 §4): a header of magic, version and compatible version, then
 * blocks, each a length:int and a raw Snappy block of, by default, 32 KiB of content.
 */
export const SNAPPY_MAGIC: Buffer = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
export const SNAPPY_HEADER_BYTES = 16
const VERSION = 1
const BLOCK_CONTENT_BYTES = 32 * 1024
/** No writer makes larger blocks: snappy-java's may be set up to this. */
const BLOCK_CONTENT_BYTES_MAX = 512 * 1024 * 1024

export function snappyHeader(): Buffer {
  const header = Buffer.alloc(SNAPPY_HEADER_BYTES)
  SNAPPY_MAGIC.copy(header)
  header.writeInt32BE(VERSION, 8)
  header.writeInt32BE(VERSION, 12)
  return header
}

/** The content as blocks, in a buffer of its own. */
export function snappyBlocks(content: Buffer): Buffer {
  const blocks = Math.ceil(content.length / BLOCK_CONTENT_BYTES)
  const out = Buffer.allocUnsafe(blocks * (4 + snappyBytesMax(BLOCK_CONTENT_BYTES)))
  let at = 0
  for (let start = 0; start < content.length; start += BLOCK_CONTENT_BYTES) {
    const end = Math.min(start + BLOCK_CONTENT_BYTES, content.length)
    const blockEnd = snappyEncode(content, start, end, out, at + 4)
    out.writeInt32BE(blockEnd - at - 4, at)
    at = blockEnd
  }
  return out.subarray(0, at)
}

/** The content of the block in `bytes`. Undefined: it is damaged. */
export function snappyBlockContent(bytes: Uint8Array): Buffer | undefined {
  return snappyDecode(bytes, Math.min(BLOCK_CONTENT_BYTES_MAX, contentBytesMax(bytes.length)))
}

/** A copy of three bytes makes at most 64: a length that claims more per byte is wrong. */
const contentBytesMax = (blockBytes: number): number =>
  Math.max(SNAPPY_BLOCK_BYTES_MAX, blockBytes * 22)
