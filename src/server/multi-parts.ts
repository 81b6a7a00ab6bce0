import type { JuteReader } from 'jute-ts'
import { CreateMode } from '../data/create-mode.ts'
import { OpCode } from '../data/op-code.ts'
import {
  readCheckVersionRequest,
  readCreateRequest,
  readCreateTTLRequest,
  readDeleteRequest,
  readSetDataRequest,
} from '../data/records.ts'

/**
 * Reads over one part of a multi without acting on it, and returns its create flags (those of a
 * plain create where it creates nothing). A type that may not stand in a multi fails the reader.
 */
export function skipMultiPart(body: JuteReader, type: number): number {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
      return readCreateRequest(body).flags
    case OpCode.createTTL:
      return readCreateTTLRequest(body).flags
    case OpCode.delete:
      readDeleteRequest(body)
      break
    case OpCode.setData:
      readSetDataRequest(body)
      break
    case OpCode.check:
      readCheckVersionRequest(body)
      break
    default:
      body.fail()
  }
  return CreateMode.persistent
}
