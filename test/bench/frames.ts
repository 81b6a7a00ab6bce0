import { OpCode } from '../../src/data/op-code.ts'
import { dataBytes, type Workload } from './shapes.ts'

/**
 * Requests as bytes, written here by hand from spec 01 §1-§4: the load generator must not share a codec
 * with the server that it judges, and must not pay for one while it measures.
 */

/** Znodes that are read and written; each request in a ring goes to the next one. */
export const nodeCount = 1000
const parentCount = 10

const parent = '/bench'
const nodePath = (index: number): string => `${parent}/n${String(index).padStart(4, '0')}`
const creationPath = (index: number): string => `${parent}/p${String(index % parentCount)}`

/** The bytes of every znode; not zeros, in case anything on the way compresses or skips them. */
export const nodeData: Buffer = Buffer.from(
  Array.from({ length: dataBytes }, (_, index) => 33 + (index % 90)),
)

const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const buffer = (bytes: Buffer): Buffer => Buffer.concat([int(bytes.length), bytes])
const ustring = (text: string): Buffer => buffer(Buffer.from(text))
const byte = (value: number): Buffer => Buffer.from([value])
const frame = (...fields: Buffer[]): Buffer => buffer(Buffer.concat(fields))

/** One ACL: world:anyone may do everything. */
const openAcl = Buffer.concat([int(1), int(31), ustring('world'), ustring('anyone')])
const anyVersion = int(-1)
const persistentSequential = int(2)

const longZero = Buffer.alloc(8)

/** A new session; with the readOnly byte that every client since 3.4 sends. */
export const connectFrame = (timeoutMs: number): Buffer =>
  frame(int(0), longZero, int(timeoutMs), longZero, buffer(Buffer.alloc(16)), byte(0))

export const closeFrame: Buffer = frame(int(0x7fffffff), int(OpCode.closeSession))

const getFrame = (xid: number, path: string): Buffer =>
  frame(int(xid), int(OpCode.getData), ustring(path), byte(0))

const setFrame = (xid: number, path: string): Buffer =>
  frame(int(xid), int(OpCode.setData), ustring(path), buffer(nodeData), anyVersion)

const createFrame = (xid: number, path: string, data: Buffer, flags: Buffer): Buffer =>
  frame(int(xid), int(OpCode.create), ustring(path), buffer(data), openAcl, flags)

/** What must exist before a workload runs, parents first. */
export function nodesToPrepare(): { readonly path: string; readonly data: Buffer }[] {
  const parents = Array.from({ length: parentCount }, (_, index) => creationPath(index))
  const nodes = Array.from({ length: nodeCount }, (_, index) => nodePath(index))
  return [
    ...[parent, ...parents].map((path) => ({ path, data: Buffer.alloc(0) })),
    ...nodes.map((path) => ({ path, data: nodeData })),
  ]
}

/** A node whose data must read back as `nodeData` once prepared. */
export const probePath: string = nodePath(nodeCount - 1)

/**
 * Request frames of one length laid end to end, `nodeCount` of them and then the first `outstandingMax`
 * again, so that any run of up to `outstandingMax` requests is one slice and one socket write.
 */
export interface FrameRing {
  readonly bytes: Buffer
  readonly frameBytes: number
}

export function frameRing(workload: Workload, outstandingMax: number): FrameRing {
  const frameOf = (index: number): Buffer => {
    const xid = index + 1
    if (workload === 'get') return getFrame(xid, nodePath(index))
    if (workload === 'set') return setFrame(xid, nodePath(index))
    return createFrame(xid, `${creationPath(index)}/s`, nodeData, persistentSequential)
  }
  const frames = Array.from({ length: nodeCount + outstandingMax }, (_, index) =>
    frameOf(index % nodeCount),
  )
  return { bytes: Buffer.concat(frames), frameBytes: frames[0]?.length ?? 0 }
}

/** Payload bytes of a good reply, as the bare server must send them: header, then body (spec 01 §4). */
export function replyBytes(workload: Workload): number {
  const header = 16
  const stat = 68
  if (workload === 'get') return header + 4 + dataBytes + stat
  if (workload === 'set') return header + stat
  return header + 4 + `${creationPath(0)}/s0000000000`.length
}
