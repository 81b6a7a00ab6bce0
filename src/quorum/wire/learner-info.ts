import { JuteReader, JuteWriter } from 'jute-ts'
import {
  readLearnerRequest,
  readSessionTimeout,
  writeRevalidateResponse,
} from '../../data/records.ts'
import type { PacketRefusal } from './packets.ts'

/** What FOLLOWERINFO and OBSERVERINFO say of the learner. */
interface ParsedLearnerInfo {
  /** Undefined: it has not said. */
  readonly sid: number | undefined
  /** 0 of a learner older than 3.4. */
  readonly protocolVersion: number
  /** 0 of a learner older than 3.5. */
  readonly configVersion: bigint
}

const SID_BYTES = 8
const V34_BYTES = 12
const V35_BYTES = 20

/** Each version of ZooKeeper has added to it; what is missing is 0 (spec 04 §2). */
export function parseLearnerInfo(data: Buffer | null): ParsedLearnerInfo | PacketRefusal {
  const length = data?.length ?? 0
  if (data === null || length < SID_BYTES)
    return { sid: undefined, protocolVersion: 0, configVersion: 0n }
  const sid = Number(data.readBigInt64BE(0))
  if (!Number.isSafeInteger(sid)) return { problem: 'a sid that none of us can have' }
  return {
    sid,
    protocolVersion: length >= V34_BYTES ? data.readInt32BE(SID_BYTES) : 0,
    configVersion: length >= V35_BYTES ? data.readBigInt64BE(V34_BYTES) : 0n,
  }
}

const TOUCH_BYTES = 12

/** Of a PING's answer: (sessionId:long, timeout:int)*. False: it is not of that form. */
export function forEachTouch(
  data: Buffer | null,
  touch: (sessionId: bigint, timeoutMs: number) => void,
): boolean {
  if (data === null) return true
  if (data.length % TOUCH_BYTES !== 0) return false
  for (let at = 0; at < data.length; at += TOUCH_BYTES)
    touch(data.readBigInt64BE(at), data.readInt32BE(at + 8))
  return true
}

interface ParsedRequest {
  readonly sessionId: bigint
  readonly cxid: number
  readonly op: number
  /** Part of the packet's data. */
  readonly body: Buffer
}

/** The data of a REQUEST. */
export function parseLearnerRequest(data: Buffer | null): ParsedRequest | PacketRefusal {
  if (data === null) return { problem: 'REQUEST without data' }
  const r = new JuteReader(data)
  const { sessionId, cxid, type } = readLearnerRequest(r)
  if (!r.ok) return { problem: 'REQUEST cut short' }
  return { sessionId, cxid, op: type, body: data.subarray(r.at) }
}

/** A session whose client has reconnected. */
interface ParsedRevalidate {
  readonly sessionId: bigint
  readonly timeoutMs: number
}

/** The data of REVALIDATE from a learner. */
export function parseRevalidate(data: Buffer | null): ParsedRevalidate | PacketRefusal {
  const r = new JuteReader(data ?? undefined)
  const { id, timeOut } = readSessionTimeout(r)
  return r.ok ? { sessionId: id, timeoutMs: timeOut } : { problem: 'REVALIDATE cut short' }
}

/** The data of the answer to it. */
export function revalidated(sessionId: bigint, valid: boolean): Buffer {
  const w = new JuteWriter(16)
  writeRevalidateResponse(w, { sessionId, valid })
  return w.bytes()
}
