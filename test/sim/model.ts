import { Err } from '../../src/data/error-code.ts'
import type { AclName, Part, ReadCall, Result, SeenStat, WriteCall } from './history.ts'
import { countedBy, QuotaPast, quotaLimits, statsText, topOf, type Usage } from './model-quota.ts'

/** When and under which zxid a write takes its place; `session` is who asks. */
export interface Moment {
  readonly zxid: number
  readonly time: number
  readonly session: bigint
  /** Who the session logs in as. */
  readonly who?: string | undefined
  /** The newest that anybody had seen before it was asked for. */
  readonly since?: number | undefined
  /** Which part of it was refused for a quota, as the history says; the model judges whether it may be. */
  readonly overQuota?: number | undefined
}

export interface ModelNode {
  data: string
  czxid: number
  mzxid: number
  pzxid: number
  ctime: number
  mtime: number
  version: number
  /** How many children it has ever had: what sequential names are made of. */
  created: number
  /** 0n: nobody's. */
  owner: bigint
  /** The server takes it away once it has lost its last child, or its time is over. */
  isReaped: boolean
  aversion: number
  /** Undefined: open. Else the one who may do all; others may read. */
  guard: string | undefined
  readonly children: Set<string>
}

/** What a watch would be told of; in order. */
export interface Change {
  readonly path: string
  readonly kind: 'created' | 'deleted' | 'changed' | 'children'
}

const MAX_VERSION = -1
/** Container and TTL: such a node is nobody's. */
const CONTAINER_FLAG = 4

const mayChange = (node: ModelNode, who: string | undefined): boolean =>
  node.guard === undefined || node.guard === who

const guardOf = (acl: AclName, who: string | undefined): string | undefined =>
  acl === 'open' ? undefined : who

const aclText = ({ guard }: ModelNode): string =>
  guard === undefined ? '31 anyone' : `1 anyone, 31 ${guard}`

const parentOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')))
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
const refused = (err: number): Outcome => ({ err, result: {}, changes: [] })

/** All that the model holds, as it was at some time. */
export interface Kept {
  readonly nodes: ReadonlyMap<string, ModelNode>
  readonly sessions: ReadonlyMap<bigint, number>
}

export interface Outcome {
  readonly err: number
  readonly result: Result
  readonly changes: readonly Change[]
}

/**
 * ZooKeeper as its manual tells it, by somebody who knows nothing of logs and members: a map of
 * nodes, and one request after the other.
 */
export class Model {
  #nodes = new Map<string, ModelNode>()
  readonly sessions: Map<bigint, number> = new Map()
  /** Undefined: what is above a quota is only told of. */
  readonly #quotas: QuotaPast | undefined
  /** Of the request at hand. */
  #part = 0

  constructor(enforcesQuota = false) {
    this.#quotas = enforcesQuota ? new QuotaPast() : undefined
    const moment = { zxid: 0, time: 0, session: 0n }
    for (const path of ['/', '/zookeeper', '/zookeeper/quota'])
      this.#nodes.set(path, newNode('', moment, 0n))
    this.#nodes.get('/')?.children.add('zookeeper')
    for (const name of ['config', 'quota']) this.#nodes.get('/zookeeper')?.children.add(name)
  }

  get paths(): Iterable<string> {
    return this.#nodes.keys()
  }

  ownerOf(path: string): bigint {
    return this.#nodes.get(path)?.owner ?? 0n
  }

  has(path: string): boolean {
    return this.#nodes.has(path)
  }

  write(call: WriteCall, moment: Moment): Outcome {
    const outcome = this.#write(call, moment)
    this.#noteQuotas(outcome, moment)
    return outcome
  }

  #write(call: WriteCall, moment: Moment): Outcome {
    this.#part = 0
    if (call.op === 'closeSession') return this.#closeSession(moment)
    if (call.op === 'setACL') return this.#setAcl(call, moment)
    if (call.op === 'multi') return this.#multi(call.parts, moment)
    return this.#onPart(call, moment)
  }

  keep(): Kept {
    return { nodes: this.#copyNodes(), sessions: new Map(this.sessions) }
  }

  /** It is again what it was; returns what is there by that, and what is not any more. */
  putBack(kept: Kept, zxid: number): readonly Change[] {
    const before = this.#nodes
    this.#nodes = new Map([...kept.nodes].map(([path, node]) => [path, copyOf(node)] as const))
    this.sessions.clear()
    for (const [id, timeoutMs] of kept.sessions) this.sessions.set(id, timeoutMs)
    this.#noteTops(this.#quotas?.tops ?? [], zxid)
    const gone = [...before.keys()].filter((path) => !this.#nodes.has(path))
    const come = [...this.#nodes.keys()].filter((path) => !before.has(path))
    return [
      ...gone.map((path) => ({ path, kind: 'deleted' }) as const),
      ...come.map((path) => ({ path, kind: 'created' }) as const),
    ]
  }

  #noteQuotas({ changes }: Outcome, { zxid }: Moment): void {
    if (this.#quotas === undefined) return
    const tops = changes.map(({ path }) => topOf(path.replace('/zookeeper/quota/', '/')))
    this.#noteTops(tops, zxid)
  }

  #noteTops(tops: readonly string[], zxid: number): void {
    for (const top of new Set(tops))
      this.#quotas?.note(top, zxid, this.#nodes.get(quotaLimits(top))?.data, this.#usageOf(top))
  }

  /** All there is below it, itself included. */
  #usageOf(top: string): Usage {
    let count = 0
    let bytes = 0
    for (const [path, node] of this.#nodes) {
      if (path !== top && !path.startsWith(`${top}/`)) continue
      count += 1
      bytes += Buffer.byteLength(node.data)
    }
    return { count, bytes }
  }

  #isOverQuota(path: string, countDelta: number, bytesDelta: number, moment: Moment): boolean {
    const { zxid, since = zxid - 1, overQuota } = moment
    const isRefused = overQuota === this.#part
    const question = { top: topOf(path), countDelta, bytesDelta, since, zxid, isRefused }
    return this.#quotas?.refuses(question) === true
  }

  /** What a write would bring now; nothing is done. */
  foresee(call: WriteCall, moment: Moment): Outcome {
    if (call.op === 'closeSession') return refused(Err.ok)
    const before = this.#copyNodes()
    const outcome = this.#write(call, moment)
    this.#nodes = before
    return outcome
  }

  #copyNodes(): Map<string, ModelNode> {
    return new Map([...this.#nodes].map(([path, node]) => [path, copyOf(node)] as const))
  }

  closeSession(moment: Moment): Outcome {
    const outcome = this.#closeSession(moment)
    this.#noteQuotas(outcome, moment)
    return outcome
  }

  #closeSession(moment: Moment): Outcome {
    this.sessions.delete(moment.session)
    const changes: Change[] = []
    for (const [path, node] of [...this.#nodes])
      if (node.owner === moment.session && moment.session !== 0n)
        changes.push(...this.#remove(path, moment))
    return { err: Err.ok, result: {}, changes }
  }

  /** The server's own wish. Undefined: there is nothing that it may take away. */
  reap(path: string, moment: Moment): Outcome | undefined {
    const node = this.#nodes.get(path)
    if (node === undefined || !node.isReaped || node.children.size > 0) return undefined
    const outcome = { err: Err.ok, result: {}, changes: this.#remove(path, moment) }
    this.#noteQuotas(outcome, moment)
    return outcome
  }

  #setAcl(call: Extract<WriteCall, { op: 'setACL' }>, { who }: Moment): Outcome {
    if (call.acl === 'guarded' && who === undefined) return refused(Err.invalidACL)
    const node = this.#nodes.get(call.path)
    if (node === undefined) return refused(Err.noNode)
    if (!mayChange(node, who)) return refused(Err.noAuth)
    if (call.version !== MAX_VERSION && call.version !== node.aversion)
      return refused(Err.badVersion)
    node.guard = guardOf(call.acl, who)
    node.aversion += 1
    return { err: Err.ok, result: { stat: statOf(node) }, changes: [] }
  }

  #multi(parts: readonly Part[], moment: Moment): Outcome {
    const before = this.#copyNodes()
    const changes: Change[] = []
    const done: { err: number; result: Result }[] = []
    for (const part of parts) {
      const outcome = this.#onPart(part, moment)
      this.#part += 1
      done.push({ err: outcome.err, result: outcome.result })
      changes.push(...outcome.changes)
      if (outcome.err === Err.ok) continue
      this.#nodes = before
      const failed = done.length - 1
      return {
        err: Err.ok,
        result: { parts: failedParts(parts, failed, outcome.err) },
        changes: [],
      }
    }
    return { err: Err.ok, result: { parts: done }, changes }
  }

  #onPart(part: Part, moment: Moment): Outcome {
    switch (part.op) {
      case 'create':
        return this.#create(part, moment)
      case 'delete': {
        const parent = this.#nodes.get(parentOf(part.path))
        if (parent === undefined) return refused(Err.noNode)
        if (!mayChange(parent, moment.who)) return refused(Err.noAuth)
        const node = this.#nodes.get(part.path)
        const problem = this.#check(part)
        if (problem !== Err.ok) return refused(problem)
        if (node !== undefined && node.children.size > 0) return refused(Err.notEmpty)
        return { err: Err.ok, result: {}, changes: this.#remove(part.path, moment) }
      }
      case 'setData': {
        const node = this.#nodes.get(part.path)
        if (node !== undefined && !mayChange(node, moment.who)) return refused(Err.noAuth)
        const growth = Buffer.byteLength(part.data) - Buffer.byteLength(node?.data ?? '')
        if (node !== undefined && this.#isOverQuota(part.path, 0, growth, moment))
          return refused(Err.quotaExceeded)
        const problem = this.#check(part)
        if (problem !== Err.ok || node === undefined) return refused(problem)
        node.data = part.data
        node.version += 1
        node.mzxid = moment.zxid
        node.mtime = moment.time
        const changes = [{ path: part.path, kind: 'changed' }] as const
        return { err: Err.ok, result: { stat: statOf(node) }, changes }
      }
      case 'check':
        return { err: this.#check(part), result: {}, changes: [] }
    }
  }

  #check({ path, version }: { readonly path: string; readonly version: number }): number {
    const node = this.#nodes.get(path)
    if (node === undefined) return Err.noNode
    return version === MAX_VERSION || version === node.version ? Err.ok : Err.badVersion
  }

  #create(part: Extract<Part, { op: 'create' }>, moment: Moment): Outcome {
    if (part.acl === 'guarded' && moment.who === undefined) return refused(Err.invalidACL)
    const parent = this.#nodes.get(parentOf(part.path))
    if (parent === undefined) return refused(Err.noNode)
    if (!mayChange(parent, moment.who)) return refused(Err.noAuth)
    const isReaped = part.flags >= CONTAINER_FLAG
    const isSequential = !isReaped && (part.flags & 2) !== 0
    const suffix = isSequential ? String(parent.created).padStart(10, '0') : ''
    const path = part.path + suffix
    if (this.#nodes.has(path)) return refused(Err.nodeExists)
    if (parent.owner !== 0n) return refused(Err.noChildrenForEphemerals)
    if (this.#isOverQuota(path, 1, Buffer.byteLength(part.data), moment))
      return refused(Err.quotaExceeded)
    const isEphemeral = !isReaped && (part.flags & 1) !== 0
    const node = newNode(part.data, moment, isEphemeral ? moment.session : 0n)
    node.isReaped = isReaped
    node.guard = guardOf(part.acl, moment.who)
    this.#nodes.set(path, node)
    parent.children.add(nameOf(path))
    parent.created += 1
    parent.pzxid = moment.zxid
    const changes = [
      { path, kind: 'created' },
      { path: parentOf(path), kind: 'children' },
    ] as const
    return { err: Err.ok, result: { path, stat: statOf(node) }, changes }
  }

  #remove(path: string, moment: Moment): readonly Change[] {
    this.#nodes.delete(path)
    const parent = this.#nodes.get(parentOf(path))
    parent?.children.delete(nameOf(path))
    if (parent !== undefined) parent.pzxid = moment.zxid
    return [
      { path, kind: 'deleted' },
      { path: parentOf(path), kind: 'children' },
    ]
  }

  /** What is below a quota is kept in its stats node, beside all txns. */
  #dataOf(path: string, node: ModelNode): string {
    const top = countedBy(path)
    return top === undefined ? node.data : statsText(this.#usageOf(top))
  }

  /** `session` is who asks. */
  read(call: ReadCall, session: bigint): { readonly err: number; readonly result: Result } {
    if (call.op === 'multiRead') {
      const parts = call.reads.map((read) =>
        withoutStat(this.read({ ...read, watch: false }, session)),
      )
      return { err: Err.ok, result: { parts } }
    }
    if (call.op === 'getEphemerals') {
      const mine = [...this.#nodes].filter(([, { owner }]) => owner === session)
      const paths = mine.map(([path]) => path).filter((path) => path.startsWith(call.prefix))
      return { err: Err.ok, result: { children: paths.sort() } }
    }
    const node = this.#nodes.get(call.path)
    if (node === undefined) return { err: Err.noNode, result: {} }
    const data = this.#dataOf(call.path, node)
    const stat = { ...statOf(node), dataLength: Buffer.byteLength(data) }
    if (call.op === 'getACL') return { err: Err.ok, result: { acl: aclText(node), stat } }
    if (call.op === 'exists') return { err: Err.ok, result: { stat } }
    if (call.op === 'getData') return { err: Err.ok, result: { data, stat } }
    return { err: Err.ok, result: { children: [...node.children].sort(), stat } }
  }
}

function newNode(data: string, { zxid, time }: Moment, owner: bigint): ModelNode {
  return {
    data,
    czxid: zxid,
    mzxid: zxid,
    pzxid: zxid,
    ctime: time,
    mtime: time,
    version: 0,
    created: 0,
    owner,
    isReaped: false,
    aversion: 0,
    guard: undefined,
    children: new Set(),
  }
}

const copyOf = (node: ModelNode): ModelNode => ({ ...node, children: new Set(node.children) })

/** Before the failed part nothing is wrong, and after it nothing was tried (spec 01 §5). */
const failedParts = (
  parts: readonly Part[],
  failed: number,
  err: number,
): readonly { err: number; result: Result }[] =>
  parts.map((_, index) => ({
    err: index < failed ? Err.ok : index === failed ? err : Err.runtimeInconsistency,
    result: {},
  }))

function statOf(node: ModelNode): SeenStat {
  return {
    czxid: node.czxid,
    mzxid: node.mzxid,
    pzxid: node.pzxid,
    ctime: node.ctime,
    mtime: node.mtime,
    version: node.version,
    cversion: 2 * node.created - node.children.size,
    aversion: node.aversion,
    ephemeralOwner: node.owner,
    dataLength: Buffer.byteLength(node.data),
    numChildren: node.children.size,
  }
}

/** A part of a multiRead tells of children without their Stat. */
function withoutStat({ err, result }: { err: number; result: Result }): {
  err: number
  result: Result
} {
  return { err, result: result.children === undefined ? result : { children: result.children } }
}
