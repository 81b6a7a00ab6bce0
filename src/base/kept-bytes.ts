/** Pieces up to so many bytes share a slab; a larger one is worth an allocation of its own. */
export const SHARED_BYTES_MAX = 1024
/** So much memory at most does one piece that is left keep from being freed. */
export const SLAB_BYTES = 4096

let slab: Buffer = Buffer.alloc(0)
let at = 0

/**
 * A copy of bytes[start, end) for somebody who keeps it for long. Node's own pool serves whatever is short-lived as well:
 * one small piece that stays keeps 8 KiB of it, most of which nobody needs any more.
 */
export function keptCopy(bytes: Buffer, start = 0, end: number = bytes.length): Buffer {
  const length = end - start
  if (length > SHARED_BYTES_MAX) {
    const own = Buffer.allocUnsafeSlow(length)
    bytes.copy(own, 0, start, end)
    return own
  }
  if (at + length > slab.length) {
    slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
    at = 0
  }
  const from = at
  at += length
  bytes.copy(slab, from, start, end)
  return slab.subarray(from, at)
}
