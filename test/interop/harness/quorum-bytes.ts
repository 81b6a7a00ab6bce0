/** A learner's synchronisation as the leader has announced it. */
export interface Sync {
  readonly leader: number
  readonly learner: number
  readonly mode: 'DIFF' | 'TRUNC' | 'SNAP'
}

/** As little of the members' protocols as a proxy must understand, on its own (spec 03 §1, 04 §2). */

/** Opening messages of several addresses and of one; older ones name no address. */
const openings: ReadonlySet<bigint> = new Set([-65535n, -65536n])
const OPENING_HEAD_BYTES = 20

/** Puts another address into the opening message of an election connection. */
export class OpeningRewriter {
  readonly #address: Buffer
  #held: Buffer | undefined = Buffer.alloc(0)

  constructor(address: string) {
    this.#address = Buffer.from(address)
  }

  /** What is to be sent instead of this chunk; nothing while the message is not complete. */
  push(chunk: Buffer): Buffer {
    if (this.#held === undefined) return chunk
    const bytes = Buffer.concat([this.#held, chunk])
    this.#held = bytes
    if (bytes.length < 8) return Buffer.alloc(0)
    const isNamed = openings.has(bytes.readBigInt64BE(0))
    if (isNamed && bytes.length < OPENING_HEAD_BYTES) return Buffer.alloc(0)
    const end = isNamed ? OPENING_HEAD_BYTES + bytes.readInt32BE(16) : 0
    if (bytes.length < end) return Buffer.alloc(0)
    this.#held = undefined
    if (!isNamed) return bytes
    const head = Buffer.from(bytes.subarray(0, OPENING_HEAD_BYTES))
    head.writeInt32BE(this.#address.length, 16)
    return Buffer.concat([head, this.#address, bytes.subarray(end)])
  }
}

const LEADERINFO = 17
/** type, zxid, four bytes of data with their length, no authinfo. */
const LEADERINFO_BYTES = 24
const modes: ReadonlyMap<number, Sync['mode']> = new Map([
  [13, 'DIFF'],
  [14, 'TRUNC'],
  [15, 'SNAP'],
])

/** Finds the packet behind LEADERINFO in what a leader sends to one learner. */
export class SyncWatcher {
  readonly #onSync: (mode: Sync['mode']) => void
  #held: Buffer | undefined = Buffer.alloc(0)

  constructor(onSync: (mode: Sync['mode']) => void) {
    this.#onSync = onSync
  }

  push(chunk: Buffer): void {
    if (this.#held === undefined) return
    this.#held = Buffer.concat([this.#held, chunk])
    if (this.#held.length < LEADERINFO_BYTES + 4) return
    const mode = modes.get(this.#held.readInt32BE(LEADERINFO_BYTES))
    if (this.#held.readInt32BE(0) === LEADERINFO && mode !== undefined) this.#onSync(mode)
    this.#held = undefined
  }
}
