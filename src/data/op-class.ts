import { OpCode } from './op-code.ts'

/**
 * Who answers a request. read: this member's tree, in order with the session's writes. write: the
 * leader's prep, as a txn. sync: the ordered stream, without a txn. unknown: -6, and the connection
 * is closed. A lone check belongs to the unknown since 3.9.3: before, it brought servers down
 * (ZOOKEEPER-2623). So do createSession and deleteContainer, which only the server itself asks for.
 */
type OpClass = 'read' | 'write' | 'sync' | 'unknown'

export function opClassOf(op: number): OpClass {
  switch (op) {
    case OpCode.exists:
    case OpCode.getData:
    case OpCode.getACL:
    case OpCode.getChildren:
    case OpCode.ping:
    case OpCode.getChildren2:
    case OpCode.checkWatches:
    case OpCode.removeWatches:
    case OpCode.multiRead:
    case OpCode.setWatches:
    case OpCode.setWatches2:
    case OpCode.getEphemerals:
    case OpCode.getAllChildrenNumber:
    case OpCode.addWatch:
    case OpCode.whoAmI:
      return 'read'
    case OpCode.create:
    case OpCode.delete:
    case OpCode.setData:
    case OpCode.setACL:
    case OpCode.multi:
    case OpCode.create2:
    case OpCode.reconfig:
    case OpCode.createContainer:
    case OpCode.createTTL:
    case OpCode.closeSession:
      return 'write'
    case OpCode.sync:
      return 'sync'
    default:
      return 'unknown'
  }
}
