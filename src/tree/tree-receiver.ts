import { JuteReader } from 'jute-ts'
import { assert } from '../base/assert.ts'
import type { DataTree } from './data-tree.ts'
import { type LoadedTree, TreeLoad } from './snapshot-codec.ts'

/** The first piece; each further one is twice as large, so that a small tree costs little. */
const PIECE_BYTES_MIN = 64 * 1024
/** Large beside a record, yet small beside the tree that is made of it. */
const PIECE_BYTES_MAX = 4 * 1024 * 1024
/**
 * The largest record of a snapshot from a peer. A node is not larger than jute.maxbuffer lets a
 * request be; this bounds lengths that nobody has meant.
 * @bound bytes: the snapshot counts as damaged
 */
const RECORD_BYTES_MAX: number = 256 * 1024 * 1024
const NOTHING: Buffer = Buffer.alloc(0)

/**
 * Loads a tree from a stream that arrives in pieces cut anywhere, with no length in front: what a
 * leader sends behind SNAP (spec 04 §5). The tree keeps the data of its nodes where it stands in the
 * buffers it was read from; as what arrives is only lent, it is copied here, into large pieces.
 */
export class TreeReceiver {
  readonly #reader: JuteReader = new JuteReader()
  readonly #load: TreeLoad
  readonly #recordBytesMax: number
  /** Filled up to `#filled`, and loaded up to `#heldAt`. */
  #piece: Buffer = NOTHING
  #filled = 0
  #heldAt = 0
  #pieceBytes = PIECE_BYTES_MIN
  #problem: string | undefined = undefined
  #loaded: LoadedTree | undefined = undefined

  /** Into a new tree, which is void if there is a problem. */
  constructor(tree: DataTree, recordBytesMax: number = RECORD_BYTES_MAX) {
    this.#load = new TreeLoad(this.#reader, tree)
    this.#recordBytesMax = recordBytesMax
  }

  /** What came with the nodes; not to be asked for before the stream has ended. */
  get loaded(): LoadedTree {
    assert(this.#loaded !== undefined, 'the stream of a tree has not ended yet')
    return this.#loaded
  }

  /** `bytes` are borrowed. A number: the stream has ended after so many of them. */
  push(bytes: Buffer): 'more' | number | { readonly problem: string } {
    assert(this.#loaded === undefined, 'bytes for a tree that is complete')
    let at = 0
    while (at < bytes.length && this.#problem === undefined) {
      at += this.#take(bytes, at)
      const result = this.#goOn()
      if (result === undefined) continue
      if (typeof result === 'string') this.#problem = result
      else {
        this.#loaded = result
        return at - (this.#filled - this.#reader.at)
      }
    }
    return this.#problem === undefined ? 'more' : { problem: this.#problem }
  }

  /** Copies what there is room for. Returns how much that was, 1 at least. */
  #take(bytes: Buffer, from: number): number {
    if (this.#filled === this.#piece.length) this.#nextPiece()
    const count = Math.min(bytes.length - from, this.#piece.length - this.#filled)
    bytes.copy(this.#piece, this.#filled, from, from + count)
    this.#filled += count
    return count
  }

  #goOn(): LoadedTree | string | undefined {
    this.#reader.reset(this.#piece, this.#heldAt, this.#filled)
    const result = this.#load.run()
    if (result !== undefined) return result
    this.#heldAt = this.#load.recordAt
    return this.#filled - this.#heldAt > this.#recordBytesMax ? 'a record is too large' : undefined
  }

  /** The last one is the tree's now; what of it is no whole record goes along. */
  #nextPiece(): void {
    const held = this.#piece.subarray(this.#heldAt, this.#filled)
    const piece = Buffer.allocUnsafeSlow(Math.max(this.#pieceBytes, held.length * 2))
    held.copy(piece)
    this.#pieceBytes = Math.min(this.#pieceBytes * 2, PIECE_BYTES_MAX)
    this.#piece = piece
    this.#filled = held.length
    this.#heldAt = 0
  }
}
