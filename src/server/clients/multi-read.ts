import type { JuteReader, JuteWriter } from 'jute-ts'
import { Err } from '../../data/error-code.ts'
import { OpCode } from '../../data/op-code.ts'
import { readMultiHeader } from '../../data/records.ts'
import type { Cnxn } from './cnxn.ts'

/** The reads that a multiRead may be made of. `watch` is false there. */
interface PartReads {
  getData(path: string, watch: boolean, cnxn: Cnxn, w: JuteWriter): Err
  getChildren(path: string, watch: boolean, cnxn: Cnxn, w: JuteWriter): Err
}

/** A result of a multi or multiRead, or the mark of its end (type -1, done). */
export function writeMultiHeader(w: JuteWriter, type: number, done: boolean, err: number): void {
  w.writeInt(type)
  w.writeBoolean(done)
  w.writeInt(err)
}

/** An error in place of a part's result (spec 01 §5). */
export function writeMultiError(w: JuteWriter, err: number): void {
  writeMultiHeader(w, OpCode.error, false, err)
  w.writeInt(err)
}

/**
 * Reads without a transaction: each part succeeds or fails alone. A part of another kind refuses the
 * whole request (spec 01 §5). Watches cannot be set here: the flag of a part is ignored.
 */
export function answerMultiRead(
  reads: PartReads,
  cnxn: Cnxn,
  r: JuteReader,
  w: JuteWriter,
  replyBytesMax: number,
): Err {
  const start = w.length
  for (;;) {
    const header = readMultiHeader(r)
    if (!r.ok) return Err.marshallingError
    if (header.done) break
    if (header.type !== OpCode.getData && header.type !== OpCode.getChildren)
      return Err.marshallingError
    const path = r.readString()
    r.readBoolean()
    if (!r.ok) return Err.marshallingError
    answerPart(reads, header.type, path, cnxn, w)
    if (w.length - start > replyBytesMax) return Err.badArguments
  }
  writeMultiHeader(w, OpCode.error, true, -1)
  return Err.ok
}

function answerPart(reads: PartReads, type: number, path: string, cnxn: Cnxn, w: JuteWriter): void {
  const at = w.length
  writeMultiHeader(w, type, false, Err.ok)
  const err =
    type === OpCode.getData
      ? reads.getData(path, false, cnxn, w)
      : reads.getChildren(path, false, cnxn, w)
  if (err === Err.ok) return
  w.truncate(at)
  writeMultiError(w, err)
}
