import { JuteReader, JuteWriter } from 'jute-ts'
import type { Config } from '../../src/config/config.ts'
import { Err } from '../../src/data/error-code.ts'
import { OpCode } from '../../src/data/op-code.ts'
import { parentOf } from '../../src/data/path.ts'
import type { Id } from '../../src/data/records.ts'
import type { Txn } from '../../src/data/txn.ts'
import { nodeCrypto } from '../../src/node/process/crypto.ts'
import { AccessControl } from '../../src/server/auth/access-control.ts'
import { providersOf } from '../../src/server/clients/auth-requests.ts'
import type { SessionGate } from '../../src/server/sessions/session-gatekeeper.ts'
import { OutstandingChanges } from '../../src/server/writes/outstanding-changes.ts'
import { Prep } from '../../src/server/writes/prep.ts'
import { type ApplyResult, applyTxn, deafListener } from '../../src/tree/apply.ts'
import { DataTree } from '../../src/tree/data-tree.ts'
import { nodeDigest, TreeDigest } from '../../src/tree/digest.ts'
import type { PathExcess } from '../../src/tree/quota-keeper.ts'
import { configOf } from './memory-server.ts'
import type { Body } from './requests.ts'

/** Who asks. */
export interface Asker {
  readonly sessionId: bigint
  readonly ids: readonly Id[]
}

/** A client that has shown nothing but its address. */
export const somebody: Asker = { sessionId: 7n, ids: [{ scheme: 'ip', id: '127.0.0.1' }] }

/** A txn in its place, and the digest that prep foresees. */
export interface Decided {
  readonly clientId: bigint
  readonly zxid: number
  readonly time: number
  readonly txn: Txn
  readonly digest: bigint
}

/** Prep and a tree, with nothing between them: what is decided is applied when the test says so. */
export class Decider {
  readonly config: Config
  readonly tree: DataTree
  readonly prep: Prep
  /** What the gate says of every session but those that are closing. */
  gate: Err = Err.ok
  readonly closing: bigint[] = []
  /** What the quotas were told to be exceeded by. */
  readonly exceeded: PathExcess[] = []
  /** Whether the tree takes digests from prep, as that of a member does; else it computes its own. */
  takesHints = false
  wall = 1_700_000_000_000
  readonly #outstanding: Decided[] = []
  #zxid = 0

  constructor(settings: Readonly<Record<string, string>> = {}, frameBytesMax?: number) {
    this.config = configOf(settings)
    const { extendedTypesEnabled, emulate353TtlNodes, digestEnabled } = this.config
    this.tree = new DataTree({ extendedTypesEnabled, emulate353TtlNodes }, digestEnabled)
    const providers = providersOf(this.config, nodeCrypto)
    if (typeof providers === 'string') throw new Error(providers)
    const access = new AccessControl(providers, this.config.skipAcl)
    const gate: SessionGate = {
      check: ({ sessionId }) => (this.closing.includes(sessionId) ? Err.sessionExpired : this.gate),
      setClosing: (session) => this.closing.push(session),
    }
    const quotaLog = { onExceeded: (excess: PathExcess) => this.exceeded.push(excess) }
    const { config, tree } = this
    const changes = new OutstandingChanges(tree, digestEnabled)
    this.prep = new Prep({ config, tree, changes, access, gate, frameBytesMax, quotaLog })
  }

  get outstanding(): number {
    return this.#outstanding.length
  }

  /** Decides about a write and leaves it outstanding. */
  decide(op: number, body: Body = () => {}, asker: Asker = somebody): Decided {
    this.#zxid += 1
    this.wall += 1
    const w = new JuteWriter()
    body(w)
    const request = { sessionId: asker.sessionId, cxid: 1, op, ids: asker.ids, owner: 0 }
    const txn = this.prep.prepare(request, new JuteReader(w.copy()), this.#zxid, this.wall)
    const digest = this.prep.changes.digest.toBigInt()
    const clientId = asker.sessionId
    const decided = { clientId, zxid: this.#zxid, time: this.wall, txn, digest }
    this.#outstanding.push(decided)
    return decided
  }

  /** What the decision is answered with if it is no txn; Err.ok otherwise. Leaves it outstanding. */
  refusal(op: number, body: Body, asker: Asker = somebody): number {
    const { txn } = this.decide(op, body, asker)
    return txn.type === OpCode.error ? txn.err : Err.ok
  }

  /** Applies the oldest `count` of what is outstanding; throws if prep foresaw another digest. */
  apply(count: number = this.#outstanding.length): ApplyResult | undefined {
    let last: ApplyResult | undefined
    for (const decided of this.#outstanding.splice(0, count)) {
      this.prep.changes.onApplying(decided.zxid)
      const known = this.takesHints ? this.prep.changes.knownDigest : undefined
      last = applyTxn(this.tree, decided, decided.txn, deafListener, known)
      this.prep.changes.onApplied(decided.zxid)
      const found = this.tree.digest.toBigInt()
      if (found !== decided.digest)
        throw new Error(`zxid ${decided.zxid}: digest ${found}, foreseen ${decided.digest}`)
    }
    return last
  }

  /** Decides and applies. */
  run(op: number, body: Body = () => {}, asker: Asker = somebody): ApplyResult {
    this.decide(op, body, asker)
    const result = this.apply()
    if (result === undefined) throw new Error('nothing was applied')
    return result
  }
}

/** The digest of a tree, computed anew from every node. */
export function digestOf(tree: DataTree): bigint {
  const digest = new TreeDigest()
  for (const [path, znode] of tree.entries()) digest.add(nodeDigest(path, znode))
  return digest.toBigInt()
}

/** Paths of nodes that their parent does not know, and of children that are not there. */
export function strayPaths(tree: DataTree): readonly string[] {
  const strays: string[] = []
  for (const [path, znode] of tree.entries()) {
    const parent = tree.node(parentOf(path))
    if (path !== '/' && parent?.children?.has(path.slice(path.lastIndexOf('/') + 1)) !== true)
      strays.push(path)
    for (const name of znode.children ?? []) {
      const child = path === '/' ? `/${name}` : `${path}/${name}`
      if (tree.node(child) === undefined) strays.push(child)
    }
  }
  return strays
}
