const LENGTH_BYTES = 4
const ZXID_AT = 8
const HEADER_BYTES = 20

/**
 * The largest zxid that these frames tell a client of; 0: none. The answer to a handshake begins with
 * its version, 0, where a reply has an xid, and tells of none.
 */
export function shownZxid(frames: Buffer): number {
  let shown = 0
  for (let at = 0; at + HEADER_BYTES <= frames.length; ) {
    const length = frames.readInt32BE(at)
    if (frames.readInt32BE(at + LENGTH_BYTES) !== 0)
      shown = Math.max(shown, Number(frames.readBigInt64BE(at + ZXID_AT)))
    at += LENGTH_BYTES + length
  }
  return shown
}
