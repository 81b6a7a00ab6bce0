import type { Prng } from '../../src/base/prng.ts'
import { openAcl } from '../../src/data/acl.ts'
import { OpCode } from '../../src/data/op-code.ts'
import type { ACL } from '../../src/data/records.ts'
import type { SubTxn, Txn } from '../../src/data/txn.ts'
import type { TxnContext } from '../../src/tree/apply.ts'
import type { DataTree } from '../../src/tree/data-tree.ts'

export interface RandomTxn extends TxnContext {
  readonly txn: Txn
}

const names = ['a', 'b', 'c', 'd', 'e-long-name-that-is-no-small-string', 'ü']
const acls: readonly (readonly ACL[])[] = [
  openAcl,
  [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }],
  [{ perms: 31, id: { scheme: 'digest', id: 'bob:x' } }],
  [{ perms: 5, id: { scheme: 'ip', id: '10.0.0.1' } }],
]
const SESSIONS = 4

/**
 * Txns such as prep makes of the writes of a few clients, against a tree as it is: every kind, on few
 * paths, so that nodes come, change, go and come again.
 */
export class RandomTxns {
  readonly #prng: Prng
  readonly #tree: DataTree
  #zxid: number
  readonly sessions: Set<bigint> = new Set()

  constructor(prng: Prng, tree: DataTree, zxid: number = tree.lastProcessedZxid) {
    this.#prng = prng
    this.#tree = tree
    this.#zxid = zxid
  }

  #pick<T>(from: readonly T[]): T {
    const picked = from[this.#prng.below(from.length)]
    if (picked === undefined) throw new Error('nothing to pick from')
    return picked
  }

  #path(): string {
    let path = ''
    for (let depth = 1 + this.#prng.below(3); depth > 0; depth -= 1) path += `/${this.#pick(names)}`
    return path
  }

  #data(): Buffer | null {
    const kind = this.#prng.below(8)
    if (kind === 0) return null
    return kind === 1 ? Buffer.alloc(0) : Buffer.alloc(1 + this.#prng.below(40), this.#zxid)
  }

  /** The next one, which is to be applied before another is asked for. */
  next(): RandomTxn {
    this.#zxid += 1
    const session = BigInt(1 + this.#prng.below(SESSIONS))
    return { clientId: session, zxid: this.#zxid, time: 1000 + this.#zxid, txn: this.#txn(session) }
  }

  #txn(session: bigint): Txn {
    if (!this.sessions.has(session)) {
      this.sessions.add(session)
      return { type: OpCode.createSession, timeOut: 10_000 }
    }
    const kind = this.#prng.below(20)
    if (kind === 0) {
      this.sessions.delete(session)
      const paths2Delete = [...this.#tree.ephemeralsOf(session)]
      return { type: OpCode.closeSession, paths2Delete }
    }
    if (kind === 1) return { type: OpCode.error, err: -101 }
    if (kind === 2) return this.#setAcl() ?? { type: OpCode.error, err: -101 }
    if (kind === 3)
      return {
        type: OpCode.multi,
        txns: [this.#setData(), this.#delete()].flatMap((part) => part ?? []),
      }
    const txn = kind < 10 ? this.#create() : kind < 15 ? this.#setData() : this.#delete()
    return txn ?? { type: OpCode.error, err: -101 }
  }

  #create(): SubTxn | undefined {
    const path = this.#path()
    const slash = path.lastIndexOf('/')
    const parent = this.#tree.node(slash === 0 ? '/' : path.slice(0, slash))
    const isLeafOnly = parent !== undefined && parent.ephemeralOwner > 0n
    if (parent === undefined || isLeafOnly || this.#tree.node(path) !== undefined) return undefined
    const common = {
      path,
      data: this.#data(),
      acl: this.#pick(acls),
      parentCVersion: parent.cversion + 1,
    }
    const kind = this.#prng.below(6)
    if (kind === 0) return { type: OpCode.createContainer, ...common, ephemeral: false, ttl: 0n }
    if (kind === 1) return { type: OpCode.createTTL, ...common, ephemeral: false, ttl: 5000n }
    const type = kind === 2 ? OpCode.create2 : OpCode.create
    return { type, ...common, ephemeral: kind > 3, ttl: 0n }
  }

  #setData(): SubTxn | undefined {
    const path = this.#path()
    const znode = this.#tree.node(path)
    if (znode === undefined) return undefined
    return { type: OpCode.setData, path, data: this.#data(), version: znode.version + 1 }
  }

  #delete(): SubTxn | undefined {
    const path = this.#path()
    const znode = this.#tree.node(path)
    if (znode === undefined || znode.childCount > 0) return undefined
    return { type: OpCode.delete, path }
  }

  #setAcl(): Txn | undefined {
    const path = this.#path()
    const znode = this.#tree.node(path)
    if (znode === undefined) return undefined
    return { type: OpCode.setACL, path, acl: this.#pick(acls), version: znode.aversion + 1 }
  }
}
