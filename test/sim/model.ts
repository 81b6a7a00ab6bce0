import { Err } from '../../src/data/error-code.ts'
import type { Part, ReadCall, Result, SeenStat, WriteCall } from './history.ts'

/** When and under which zxid a write takes its place; `session` is who asks. */
export interface Moment {
  readonly zxid: number
  readonly time: number
  readonly session: bigint
}

interface ModelNode {
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
  readonly children: Set<string>
}

/** What a watch would be told of; in order. */
export interface Change {
  readonly path: string
  readonly kind: 'created' | 'deleted' | 'changed' | 'children'
}

const MAX_VERSION = -1
const parentOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')))
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
const refused = (err: number): Outcome => ({ err, result: {}, changes: [] })

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

  constructor() {
    const moment = { zxid: 0, time: 0, session: 0n }
    for (const path of ['/', '/zookeeper']) this.#nodes.set(path, newNode('', moment, 0n))
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
    if (call.op === 'closeSession') return this.closeSession(moment)
    if (call.op === 'multi') return this.#multi(call.parts, moment)
    return this.#part(call, moment)
  }

  /** The error that a write would have now; nothing is done. */
  foresee(call: WriteCall, moment: Moment): number {
    if (call.op === 'closeSession') return Err.ok
    const before = this.#copyNodes()
    const { err } = this.write(call, moment)
    this.#nodes = before
    return err
  }

  #copyNodes(): Map<string, ModelNode> {
    return new Map([...this.#nodes].map(([path, node]) => [path, copyOf(node)] as const))
  }

  closeSession(moment: Moment): Outcome {
    this.sessions.delete(moment.session)
    const changes: Change[] = []
    for (const [path, node] of [...this.#nodes])
      if (node.owner === moment.session && moment.session !== 0n)
        changes.push(...this.#remove(path, moment))
    return { err: Err.ok, result: {}, changes }
  }

  #multi(parts: readonly Part[], moment: Moment): Outcome {
    const before = this.#copyNodes()
    const changes: Change[] = []
    const done: { err: number; result: Result }[] = []
    for (const part of parts) {
      const outcome = this.#part(part, moment)
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

  #part(part: Part, moment: Moment): Outcome {
    switch (part.op) {
      case 'create':
        return this.#create(part, moment)
      case 'delete': {
        if (!this.#nodes.has(parentOf(part.path))) return refused(Err.noNode)
        const node = this.#nodes.get(part.path)
        const problem = this.#check(part)
        if (problem !== Err.ok) return refused(problem)
        if (node !== undefined && node.children.size > 0) return refused(Err.notEmpty)
        return { err: Err.ok, result: {}, changes: this.#remove(part.path, moment) }
      }
      case 'setData': {
        const problem = this.#check(part)
        const node = this.#nodes.get(part.path)
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
    const parent = this.#nodes.get(parentOf(part.path))
    if (parent === undefined) return refused(Err.noNode)
    const isSequential = (part.flags & 2) !== 0
    const suffix = isSequential ? String(parent.created).padStart(10, '0') : ''
    const path = part.path + suffix
    if (this.#nodes.has(path)) return refused(Err.nodeExists)
    if (parent.owner !== 0n) return refused(Err.noChildrenForEphemerals)
    const node = newNode(part.data, moment, (part.flags & 1) === 0 ? 0n : moment.session)
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

  read(call: ReadCall): { readonly err: number; readonly result: Result } {
    const node = this.#nodes.get(call.path)
    if (node === undefined) return { err: Err.noNode, result: {} }
    const stat = statOf(node)
    if (call.op === 'exists') return { err: Err.ok, result: { stat } }
    if (call.op === 'getData') return { err: Err.ok, result: { data: node.data, stat } }
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
    aversion: 0,
    ephemeralOwner: node.owner,
    dataLength: Buffer.byteLength(node.data),
    numChildren: node.children.size,
  }
}
