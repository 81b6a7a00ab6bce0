import { JuteReader, JuteWriter } from 'jute-ts'
import { OpCode } from '../../src/data/op-code.ts'
import {
  type ConnectRequest,
  type ConnectResponse,
  type ReplyHeader,
  readConnectRequest,
  readConnectResponse,
  readMultiHeader,
  readReplyHeader,
  readRequestHeader,
  readWatcherEvent,
  type WatcherEvent,
  writeConnectRequest,
  writeConnectResponse,
  writeMultiHeader,
  writeReplyHeader,
  writeRequestHeader,
  writeWatcherEvent,
} from '../../src/data/records.ts'
import {
  partReplyRecords,
  partRequestRecords,
  replyRecords,
  requestRecords,
  type Transcode,
} from './wire-records.ts'

/** One part of a multi or multiRead: its MultiHeader, and its record where its type has one. */
export interface MultiPart {
  readonly type: number
  readonly err: number
  readonly record: object | undefined
}

export type WireBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'record'; readonly record: object }
  | { readonly kind: 'multi'; readonly parts: readonly MultiPart[] }
  /** Bytes that are not what the op asks for: malformed, or of an op that we do not know. */
  | { readonly kind: 'raw'; readonly bytes: Buffer }

/** `readOnly` is undefined where the byte was not sent (spec 01 §3). */
export type WireMessage =
  | {
      readonly kind: 'connectRequest'
      readonly record: ConnectRequest
      readonly readOnly: boolean | undefined
    }
  | {
      readonly kind: 'connectResponse'
      readonly record: ConnectResponse
      readonly readOnly: boolean | undefined
    }
  | { readonly kind: 'request'; readonly xid: number; readonly op: number; readonly body: WireBody }
  /** `op` is that of the request; undefined when no request of this connection has this xid. */
  | {
      readonly kind: 'reply'
      readonly header: ReplyHeader
      readonly op: number | undefined
      readonly body: WireBody
    }
  | { readonly kind: 'event'; readonly header: ReplyHeader; readonly record: WatcherEvent }
  | { readonly kind: 'undecodable'; readonly bytes: Buffer }

export interface Decoded {
  readonly message: WireMessage
  /** The frame's payload as our own codecs write it: for a sound frame, the very bytes that were read. */
  readonly rewritten: Buffer
}

const REPLY_HEADER_BYTES = 16
const WATCH_EVENT_XID = -1

/**
 * Decodes both directions of one client connection, as a bystander would: a reply can only be read by
 * one who knows the requests. Payloads come without their length prefix, in the order of the wire.
 */
export class WireDecoder {
  #isConnectRequestSeen = false
  #isConnected = false
  readonly #pending: { readonly xid: number; readonly op: number }[] = []

  /** A frame from client to server. */
  request(payload: Buffer): Decoded {
    const r = new JuteReader(payload)
    const w = new JuteWriter()
    if (!this.#isConnectRequestSeen) {
      this.#isConnectRequestSeen = true
      const record = readConnectRequest(r)
      writeConnectRequest(w, record)
      const readOnly = transcodeReadOnly(r, w)
      return decoded(r, w, payload, { kind: 'connectRequest', record, readOnly })
    }
    const { xid, type: op } = readRequestHeader(r)
    if (!r.ok) return undecodable(payload)
    writeRequestHeader(w, { xid, type: op })
    this.#pending.push({ xid, op })
    const isMulti = op === OpCode.multi || op === OpCode.multiRead
    const body = isMulti
      ? transcodeMulti(r, w, payload, partRequestRecords)
      : transcodeBody(r, w, payload, requestRecords.get(op))
    return { message: { kind: 'request', xid, op, body }, rewritten: written(w) }
  }

  /** A frame from server to client. */
  reply(payload: Buffer): Decoded {
    const r = new JuteReader(payload)
    const w = new JuteWriter()
    // A read-only server answers a connect request with a bare header (spec 01 §3); and 3.8 lets a
    // client ask for a second createSession, which it answers as the first (spec 01 §4).
    const isConnectResponse = !this.#isConnected || this.#pending[0]?.op === OpCode.createSession
    if (isConnectResponse && payload.length !== REPLY_HEADER_BYTES) {
      if (this.#isConnected) this.#pending.shift()
      this.#isConnected = true
      const record = readConnectResponse(r)
      writeConnectResponse(w, record)
      const readOnly = transcodeReadOnly(r, w)
      return decoded(r, w, payload, { kind: 'connectResponse', record, readOnly })
    }
    const header = readReplyHeader(r)
    if (!r.ok) return undecodable(payload)
    writeReplyHeader(w, header)
    if (header.xid === WATCH_EVENT_XID) {
      const record = readWatcherEvent(r)
      writeWatcherEvent(w, record)
      return decoded(r, w, payload, { kind: 'event', header, record })
    }
    const op = this.#takeOp(header.xid)
    const body = transcodeReply(r, w, payload, op, header.err)
    return { message: { kind: 'reply', header, op, body }, rewritten: written(w) }
  }

  /** Replies keep the order of requests but for auth, sasl and refusals, so the xid has to decide. */
  #takeOp(xid: number): number | undefined {
    const index = this.#pending.findIndex((request) => request.xid === xid)
    return index === -1 ? undefined : this.#pending.splice(index, 1)[0]?.op
  }
}

function transcodeReply(
  r: JuteReader,
  w: JuteWriter,
  payload: Buffer,
  op: number | undefined,
  err: number,
): WireBody {
  if (err !== 0 || op === undefined) return transcodeBody(r, w, payload, undefined)
  if (op === OpCode.multi || op === OpCode.multiRead)
    return transcodeMulti(r, w, payload, partReplyRecords)
  return transcodeBody(r, w, payload, replyRecords.get(op))
}

function transcodeBody(
  r: JuteReader,
  w: JuteWriter,
  payload: Buffer,
  record: Transcode | undefined,
): WireBody {
  const start = r.at
  const writtenBefore = w.length
  if (record === undefined && r.remaining === 0) return { kind: 'none' }
  if (record !== undefined) {
    const value = record(r, w)
    if (r.ok && r.remaining === 0) return { kind: 'record', record: value }
  }
  return rawFrom(w, writtenBefore, payload, start)
}

function transcodeMulti(
  r: JuteReader,
  w: JuteWriter,
  payload: Buffer,
  partRecords: ReadonlyMap<number, Transcode>,
): WireBody {
  const start = r.at
  const writtenBefore = w.length
  const parts: MultiPart[] = []
  while (r.ok) {
    const header = readMultiHeader(r)
    writeMultiHeader(w, header)
    if (header.done) {
      if (r.remaining === 0) return { kind: 'multi', parts }
      break
    }
    const record = partRecords.get(header.type)?.(r, w)
    parts.push({ type: header.type, err: header.err, record })
  }
  return rawFrom(w, writtenBefore, payload, start)
}

/** Gives up on a body: as it came, and so it is also rewritten. */
function rawFrom(w: JuteWriter, writtenBefore: number, payload: Buffer, start: number): WireBody {
  const bytes = payload.subarray(start)
  w.length = writtenBefore
  w.writeBytes(bytes)
  return { kind: 'raw', bytes }
}

function transcodeReadOnly(r: JuteReader, w: JuteWriter): boolean | undefined {
  if (r.remaining === 0) return undefined
  const readOnly = r.readBoolean()
  w.writeBoolean(readOnly)
  return readOnly
}

function decoded(r: JuteReader, w: JuteWriter, payload: Buffer, message: WireMessage): Decoded {
  return r.ok && r.remaining === 0 ? { message, rewritten: written(w) } : undecodable(payload)
}

const undecodable = (payload: Buffer): Decoded => ({
  message: { kind: 'undecodable', bytes: payload },
  rewritten: payload,
})

const written = (w: JuteWriter): Buffer => w.buffer.subarray(0, w.length)
