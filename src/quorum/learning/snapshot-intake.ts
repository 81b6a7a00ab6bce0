import type { SnapshotSink } from '../ports/replica.ts'
import { SNAP_SIGNATURE } from '../wire/packets.ts'

const SIGNATURE_BYTES = 4 + SNAP_SIGNATURE.length

/** Takes what follows the packet SNAP: the state, and the signature that says it is whole. */
export class SnapshotIntake {
  readonly #sink: SnapshotSink
  #isStateWhole = false
  readonly #signature: Buffer = Buffer.alloc(SIGNATURE_BYTES)
  #signatureBytes = 0

  constructor(sink: SnapshotSink) {
    this.#sink = sink
  }

  /** `bytes` are borrowed. A number: so many of them belong to the SNAP, which ends there. */
  push(bytes: Buffer): 'more' | number | { readonly problem: string } {
    let at = 0
    if (!this.#isStateWhole) {
      const result = this.#sink.push(bytes)
      if (typeof result !== 'number') return result
      this.#isStateWhole = true
      at = result
    }
    const copied = bytes.copy(this.#signature, this.#signatureBytes, at)
    this.#signatureBytes += copied
    if (this.#signatureBytes < SIGNATURE_BYTES) return 'more'
    const isSigned =
      this.#signature.readInt32BE(0) === SNAP_SIGNATURE.length &&
      this.#signature.toString('latin1', 4) === SNAP_SIGNATURE
    return isSigned ? at + copied : { problem: 'the signature behind it is wrong' }
  }
}
