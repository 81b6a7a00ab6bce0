import type { JuteReader } from 'jute-ts'
import { Err } from '../../data/error-code.ts'
import { OpCode } from '../../data/op-code.ts'
import { readMultiHeader } from '../../data/records.ts'
import type { MultiTxn, SubTxn } from '../../data/txn.ts'
import type { WriteRequest } from '../clients/write-route.ts'
import { skipMultiPart } from './multi-parts.ts'
import type { OutstandingChanges } from './outstanding-changes.ts'

/** Who judges the parts, and keeps what they would change. */
interface PartJudge {
  readonly changes: OutstandingChanges
  prepareSub(
    request: WriteRequest,
    op: number,
    body: JuteReader,
    zxid: number,
    time: number,
  ): SubTxn | Err
}

/**
 * A multi is judged part by part, each part against what the earlier ones leave behind, under one
 * zxid. The first refusal undoes them all, and the parts after it become -2 (spec 05 §7). A body that
 * does not decode as a whole refuses the multi before any part is judged (spec 01 §5).
 */
export function prepMulti(
  prep: PartJudge,
  request: WriteRequest,
  body: JuteReader,
  zxid: number,
  time: number,
): MultiTxn | Err {
  const start = body.at
  if (!isWellFormed(body)) return Err.marshallingError
  body.at = start
  const txns: SubTxn[] = []
  let failed: Err = Err.ok
  for (;;) {
    const header = readMultiHeader(body)
    if (header.done) break
    if (failed !== Err.ok) {
      skipMultiPart(body, header.type)
      txns.push({ type: OpCode.error, err: Err.runtimeInconsistency })
      continue
    }
    const part = prep.prepareSub(request, header.type, body, zxid, time)
    if (typeof part !== 'number') {
      txns.push(part)
      continue
    }
    // An ACL with an id that is none: noticed where a part is judged, yet it refuses all of them.
    if (part === Err.marshallingError) return part
    failed = part
    txns.push({ type: OpCode.error, err: part })
    // What earlier parts have staged must not be seen by anyone.
    prep.changes.rollback()
  }
  return { type: OpCode.multi, txns }
}

/** Whether the whole body is one of writes that may stand in a multi. */
function isWellFormed(body: JuteReader): boolean {
  for (;;) {
    const header = readMultiHeader(body)
    if (!body.ok) return false
    if (header.done) return true
    if (!skipMultiPart(body, header.type)) return false
  }
}
