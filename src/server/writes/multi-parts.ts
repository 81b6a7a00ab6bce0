import type { JuteReader } from 'jute-ts'
import { isCreateFlags, isTtl } from '../../data/create-mode.ts'
import { OpCode } from '../../data/op-code.ts'
import {
  readCheckVersionRequest,
  readCreateRequest,
  readCreateTTLRequest,
  readDeleteRequest,
  readSetDataRequest,
} from '../../data/records.ts'

/**
 * Reads over one part of a multi without acting on it. False: it cannot stand in one, as it does not
 * decode, or its flags, its path or its ACL are none. What is wrong with a createTTL beyond that is
 * an error of the part.
 */
export function skipMultiPart(body: JuteReader, type: number): boolean {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer: {
      const { flags, acl } = readCreateRequest(body)
      return body.ok && acl !== null && isCreateFlags(flags) && !isTtl(flags)
    }
    case OpCode.createTTL:
      readCreateTTLRequest(body)
      return body.ok
    case OpCode.delete:
      readDeleteRequest(body)
      return body.ok
    case OpCode.setData:
      return readSetDataRequest(body).path !== null && body.ok
    case OpCode.check:
      return readCheckVersionRequest(body).path !== null && body.ok
    default:
      return false
  }
}
