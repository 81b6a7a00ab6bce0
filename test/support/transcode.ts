import { JuteReader, JuteWriter } from 'jute-ts'
import * as records from '../../src/data/records.ts'

/** Reads one record and writes it again: a codec that loses nothing gives the same bytes. */
export type Transcode<T = unknown> = (r: JuteReader, w: JuteWriter) => T

function codec<T>(
  read: (r: JuteReader) => T,
  write: (w: JuteWriter, value: T) => void,
): Transcode<T> {
  return (r, w) => {
    const value = read(r)
    write(w, value)
    return value
  }
}

const txnHeader = codec(records.readTxnHeader, records.writeTxnHeader)
const txnDigest = codec(records.readTxnDigest, records.writeTxnDigest)
const createTxn = codec(records.readCreateTxn, records.writeCreateTxn)
const deleteTxn = codec(records.readDeleteTxn, records.writeDeleteTxn)
const setDataTxn = codec(records.readSetDataTxn, records.writeSetDataTxn)

/** The body by the type in the header (spec 02 §2); a multi is transcoded part by part. */
const txnBodies: ReadonlyMap<number, Transcode> = new Map<number, Transcode>([
  [1, createTxn],
  [15, createTxn],
  [19, codec(records.readCreateContainerTxn, records.writeCreateContainerTxn)],
  [21, codec(records.readCreateTTLTxn, records.writeCreateTTLTxn)],
  [2, deleteTxn],
  [20, deleteTxn],
  [5, setDataTxn],
  [16, setDataTxn],
  [7, codec(records.readSetACLTxn, records.writeSetACLTxn)],
  [13, codec(records.readCheckVersionTxn, records.writeCheckVersionTxn)],
  [14, transcodeMultiTxn],
  [-10, codec(records.readCreateSessionTxn, records.writeCreateSessionTxn)],
  [-11, codec(records.readCloseSessionTxn, records.writeCloseSessionTxn)],
  [-1, codec(records.readErrorTxn, records.writeErrorTxn)],
])

function transcodeBody(type: number, r: JuteReader, w: JuteWriter): void {
  const body = txnBodies.get(type)
  if (body === undefined) r.fail()
  else body(r, w)
}

function transcodeMultiTxn(r: JuteReader, w: JuteWriter): void {
  const txns = records.readMultiTxn(r).txns.map(({ type, data }) => ({
    type,
    data: transcodeInside(r, data, (inner, out) => transcodeBody(type, inner, out)),
  }))
  records.writeMultiTxn(w, { txns })
}

/** Takes a buffer apart in its turn; what cannot be read there to its end fails `r`. */
function transcodeInside(r: JuteReader, data: Buffer | null, inside: Transcode): Buffer | null {
  if (data === null) return null
  const inner = new JuteReader(data)
  const out = new JuteWriter()
  inside(inner, out)
  if (!inner.ok || inner.remaining > 0) r.fail()
  return out.copy()
}

/** Header, body and, unless the entry ends there, digest. */
export function transcodeTxnEntry(r: JuteReader, w: JuteWriter): void {
  const { type } = txnHeader(r, w)
  transcodeBody(type, r, w)
  if (r.remaining > 0) txnDigest(r, w)
}

/** A log up to its padding; returns the number of entries. */
export function transcodeLog(r: JuteReader, w: JuteWriter): number {
  codec(records.readFileHeader, records.writeFileHeader)(r, w)
  let entries = 0
  while (r.ok && r.remaining > 12) {
    const checksum = r.readNumber()
    if (checksum === 0) break
    w.writeNumber(checksum)
    w.writeBuffer(transcodeInside(r, r.readBuffer(), transcodeTxnEntry))
    w.writeByte(r.readByte())
    entries += 1
  }
  return entries
}

const sessionTimeout = codec(records.readSessionTimeout, records.writeSessionTimeout)
const aclCacheEntry = codec(records.readACLCacheEntry, records.writeACLCacheEntry)
const nodeRecord = codec(records.readNodeRecord, records.writeNodeRecord)

function transcodeCounted(r: JuteReader, w: JuteWriter, element: Transcode): void {
  const count = r.readVectorCount(1)
  w.writeInt(count)
  for (let i = 0; i < count; i += 1) element(r, w)
}

/** Sessions, access control lists and nodes, up to the path that ends them (spec 02 §4, 2-4). */
export function transcodeTree(r: JuteReader, w: JuteWriter): number {
  transcodeCounted(r, w, sessionTimeout)
  transcodeCounted(r, w, aclCacheEntry)
  let nodes = 0
  for (;;) {
    const path = r.readString()
    w.writeString(path)
    if (path === '/' || !r.ok) return nodes
    nodeRecord(r, w)
    nodes += 1
  }
}

function transcodeSeal(r: JuteReader, w: JuteWriter): void {
  w.writeNumber(r.readNumber())
  w.writeString(r.readString())
}

/** A whole plain snapshot of 3.6 to 3.8; returns the number of nodes. */
export function transcodeSnapshot(r: JuteReader, w: JuteWriter): number {
  codec(records.readFileHeader, records.writeFileHeader)(r, w)
  const nodes = transcodeTree(r, w)
  transcodeSeal(r, w)
  w.writeNumber(r.readNumber())
  txnDigest(r, w)
  transcodeSeal(r, w)
  return nodes
}

const learnerInfo = codec(records.readLearnerInfo, records.writeLearnerInfo)
const learnerInfoV34 = codec(records.readLearnerInfoV34, records.writeLearnerInfoV34)
const revalidateResponse = codec(records.readRevalidateResponse, records.writeRevalidateResponse)
const learnerRequest = codec(records.readLearnerRequest, records.writeLearnerRequest)
const createRequest = codec(records.readCreateRequest, records.writeCreateRequest)

/** What is in a packet's data (spec 04 §2). */
function transcodePacketData(type: number, r: JuteReader, w: JuteWriter): void {
  if (type === 11 || type === 16) {
    if (r.remaining === 20) learnerInfo(r, w)
    else if (r.remaining === 12) learnerInfoV34(r, w)
    else w.writeLong(r.readLong())
  } else if (type === 1 && learnerRequest(r, w).type === 1) createRequest(r, w)
  else if (type === 6 && r.remaining === 9) revalidateResponse(r, w)
  else if (type === 5 || type === 6) while (r.remaining > 0) sessionTimeout(r, w)
  else if (type === 19) w.writeLong(r.readLong())
  if (type === 2 || type === 8 || type === 19) transcodeTxnEntry(r, w)
  if (type === 9) w.writeLong(r.readLong())
  if (type === 17 || type === 18) w.writeInt(r.readInt())
  if (type === 10) w.writeBytes(Buffer.from(new TextDecoder().decode(restOf(r))))
}

function restOf(r: JuteReader): Buffer {
  const rest = r.buffer.subarray(r.at, r.end)
  r.at = r.end
  return rest
}

/** All that one side of a learner connection said; returns the types of its packets. */
export function transcodeLearnerStream(r: JuteReader, w: JuteWriter): number[] {
  const types: number[] = []
  while (r.ok && r.remaining > 0) {
    const packet = records.readQuorumPacket(r)
    const { type, data } = packet
    const inside: Transcode = (inner, out) => transcodePacketData(type, inner, out)
    records.writeQuorumPacket(w, { ...packet, data: transcodeInside(r, data, inside) })
    types.push(type)
    if (type !== 15) continue
    transcodeTree(r, w)
    w.writeString(r.readString())
  }
  return types
}

const notificationV0 = codec(records.readNotificationV0, records.writeNotificationV0)
const notificationV1 = codec(records.readNotificationV1, records.writeNotificationV1)
const notificationV2 = codec(records.readNotificationV2, records.writeNotificationV2)

/** A notification of any version by its size (spec 03 §2). */
function transcodeNotification(r: JuteReader, w: JuteWriter): void {
  if (r.remaining > 40) notificationV2(r, w)
  else if (r.remaining === 40) notificationV1(r, w)
  else if (r.remaining === 28) notificationV0(r, w)
  else w.writeBytes(restOf(r)) // Sent by the recorder to see it ignored.
}

/** One side of an election connection; only the side that opened it begins with a message. */
export function transcodeElectionStream(isOpener: boolean, r: JuteReader, w: JuteWriter): number {
  if (isOpener) codec(records.readInitialMessage, records.writeInitialMessage)(r, w)
  let notifications = 0
  for (; r.ok && r.remaining > 0; notifications += 1)
    w.writeBuffer(transcodeInside(r, r.readBuffer(), transcodeNotification))
  return notifications
}
