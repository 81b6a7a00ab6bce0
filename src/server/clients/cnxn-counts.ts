import type { CnxnId } from './cnxn.ts'

/**
 * How many connections there are, in all and from one address. What counts is the socket, which
 * costs the machine a descriptor: one that we have closed counts until the shell says that it is
 * gone, since its client may take its time to end its side.
 */
export class CnxnCounts {
  readonly #addresses = new Map<CnxnId, string>()
  readonly #ofAddress = new Map<string, number>()

  get total(): number {
    return this.#addresses.size
  }

  ofAddress(address: string): number {
    return this.#ofAddress.get(address) ?? 0
  }

  onOpened(id: CnxnId, address: string): void {
    this.#addresses.set(id, address)
    this.#ofAddress.set(address, this.ofAddress(address) + 1)
  }

  onGone(id: CnxnId): void {
    const address = this.#addresses.get(id)
    if (address === undefined) return
    this.#addresses.delete(id)
    const left = this.ofAddress(address) - 1
    if (left === 0) this.#ofAddress.delete(address)
    else this.#ofAddress.set(address, left)
  }
}
