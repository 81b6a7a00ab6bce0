import { aclKey, openAcl } from '../data/acl.ts'
import type { ACL } from '../data/records.ts'
import type { AclEntry } from './znode.ts'

/** Interns lists: millions of nodes share a handful of them. Entries go with their last node. */
export class AclTable {
  readonly #entries = new Map<string, AclEntry>()
  /** world:anyone with all permissions; never leaves the table. */
  readonly open: AclEntry = { acl: openAcl, key: aclKey(openAcl), nodes: 1 }

  constructor() {
    this.#entries.set(this.open.key, this.open)
  }

  get size(): number {
    return this.#entries.size
  }

  entries(): IterableIterator<AclEntry> {
    return this.#entries.values()
  }

  /** One node more has this list. */
  share(entry: AclEntry): AclEntry {
    if (entry !== this.open) entry.nodes += 1
    return entry
  }

  acquire(acl: readonly ACL[]): AclEntry {
    if (acl === openAcl) return this.open
    const key = aclKey(acl)
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      entry = { acl, key, nodes: 0 }
      this.#entries.set(key, entry)
    }
    entry.nodes += 1
    return entry
  }

  release(entry: AclEntry): void {
    if (entry === this.open) return
    entry.nodes -= 1
    if (entry.nodes === 0) this.#entries.delete(entry.key)
  }
}
