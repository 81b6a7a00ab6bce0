import { JuteWriter } from 'jute-ts'
import type { Znode } from './znode.ts'

/** Writes a node as it now is, as a record of a dump. */
type WriteNode = (w: JuteWriter, path: string, znode: Znode) => void

interface Preimage {
  readonly path: string
  readonly record: Buffer
}

const RECORD_BYTES_EXPECTED = 256

/**
 * Nodes as they were before the first change that a dump of one moment must not show: changed before
 * the dump came to them, or gone.
 */
export class Preimages {
  readonly #write: WriteNode
  readonly #bytesMax: number
  readonly #kept = new Map<Znode, Preimage>()
  readonly #w = new JuteWriter(RECORD_BYTES_EXPECTED)
  #bytes = 0

  constructor(write: WriteNode, bytesMax: number) {
    this.#write = write
    this.#bytesMax = bytesMax
  }

  /** So much has changed that it would take more than `bytesMax` to remember it. */
  get isFull(): boolean {
    return this.#bytes > this.#bytesMax
  }

  /** The node is about to change, and the dump has not come to it. */
  keep(path: string, znode: Znode): void {
    if (this.isFull || this.#kept.has(znode)) return
    this.#w.clear()
    this.#write(this.#w, path, znode)
    this.#bytes += this.#w.length
    this.#kept.set(znode, { path, record: this.#w.copy() })
  }

  /** The record of the node as it was. Undefined: it has not changed. */
  take(znode: Znode): Buffer | undefined {
    if (this.#kept.size === 0) return undefined
    const preimage = this.#kept.get(znode)
    if (preimage === undefined) return undefined
    this.#kept.delete(znode)
    this.#bytes -= preimage.record.length
    return preimage.record
  }

  /** Records of all that is left: of nodes that went before the dump came to them, parents first. */
  takeRest(): readonly Buffer[] {
    const rest = [...this.#kept.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
    this.clear()
    return rest.map(({ record }) => record)
  }

  clear(): void {
    this.#kept.clear()
    this.#bytes = 0
  }
}
