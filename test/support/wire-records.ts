import type { JuteReader, JuteWriter } from 'jute-ts'
import { OpCode } from '../../src/data/op-code.ts'
import * as records from '../../src/data/records.ts'

/**
 * Reads one record and at once writes it again, so that a test can ask whether a codec loses anything.
 * After a failure of the reader the value is all zeros and what is written means nothing.
 */
export type Transcode = (r: JuteReader, w: JuteWriter) => object

export const transcode =
  <T extends object>(
    read: (r: JuteReader) => T,
    write: (w: JuteWriter, value: T) => void,
  ): Transcode =>
  (r, w) => {
    const value = read(r)
    write(w, value)
    return value
  }

const createRequest = transcode(records.readCreateRequest, records.writeCreateRequest)
const create2Response = transcode(records.readCreate2Response, records.writeCreate2Response)
const createTtlRequest = transcode(records.readCreateTTLRequest, records.writeCreateTTLRequest)
const createResponse = transcode(records.readCreateResponse, records.writeCreateResponse)
const deleteRequest = transcode(records.readDeleteRequest, records.writeDeleteRequest)
const setDataRequest = transcode(records.readSetDataRequest, records.writeSetDataRequest)
const setDataResponse = transcode(records.readSetDataResponse, records.writeSetDataResponse)
const checkVersionRequest = transcode(
  records.readCheckVersionRequest,
  records.writeCheckVersionRequest,
)
const getDataRequest = transcode(records.readGetDataRequest, records.writeGetDataRequest)
const getDataResponse = transcode(records.readGetDataResponse, records.writeGetDataResponse)
const getChildrenRequest = transcode(
  records.readGetChildrenRequest,
  records.writeGetChildrenRequest,
)
const getChildrenResponse = transcode(
  records.readGetChildrenResponse,
  records.writeGetChildrenResponse,
)
const errorResponse = transcode(records.readErrorResponse, records.writeErrorResponse)

/** The request record of each op that has one (spec 01 §4); multi and multiRead have parts instead. */
export const requestRecords: ReadonlyMap<number, Transcode> = new Map([
  [OpCode.create, createRequest],
  [OpCode.create2, createRequest],
  [OpCode.createContainer, createRequest],
  [OpCode.createTTL, createTtlRequest],
  [OpCode.delete, deleteRequest],
  [OpCode.exists, transcode(records.readExistsRequest, records.writeExistsRequest)],
  [OpCode.getData, getDataRequest],
  [OpCode.setData, setDataRequest],
  [OpCode.getACL, transcode(records.readGetACLRequest, records.writeGetACLRequest)],
  [OpCode.setACL, transcode(records.readSetACLRequest, records.writeSetACLRequest)],
  [OpCode.getChildren, getChildrenRequest],
  [OpCode.sync, transcode(records.readSyncRequest, records.writeSyncRequest)],
  [
    OpCode.getChildren2,
    transcode(records.readGetChildren2Request, records.writeGetChildren2Request),
  ],
  [OpCode.check, checkVersionRequest],
  [OpCode.reconfig, transcode(records.readReconfigRequest, records.writeReconfigRequest)],
  [
    OpCode.checkWatches,
    transcode(records.readCheckWatchesRequest, records.writeCheckWatchesRequest),
  ],
  [
    OpCode.removeWatches,
    transcode(records.readRemoveWatchesRequest, records.writeRemoveWatchesRequest),
  ],
  [OpCode.auth, transcode(records.readAuthPacket, records.writeAuthPacket)],
  [OpCode.setWatches, transcode(records.readSetWatches, records.writeSetWatches)],
  [OpCode.sasl, transcode(records.readGetSASLRequest, records.writeGetSASLRequest)],
  [
    OpCode.getEphemerals,
    transcode(records.readGetEphemeralsRequest, records.writeGetEphemeralsRequest),
  ],
  [
    OpCode.getAllChildrenNumber,
    transcode(records.readGetAllChildrenNumberRequest, records.writeGetAllChildrenNumberRequest),
  ],
  [OpCode.setWatches2, transcode(records.readSetWatches2, records.writeSetWatches2)],
  [OpCode.addWatch, transcode(records.readAddWatchRequest, records.writeAddWatchRequest)],
])

/** The reply record by the op of the request; where there is none, a good reply is its header alone. */
export const replyRecords: ReadonlyMap<number, Transcode> = new Map([
  [OpCode.create, createResponse],
  [OpCode.create2, create2Response],
  [OpCode.createContainer, create2Response],
  [OpCode.createTTL, create2Response],
  [OpCode.exists, transcode(records.readExistsResponse, records.writeExistsResponse)],
  [OpCode.getData, getDataResponse],
  [OpCode.setData, setDataResponse],
  [OpCode.getACL, transcode(records.readGetACLResponse, records.writeGetACLResponse)],
  [OpCode.setACL, transcode(records.readSetACLResponse, records.writeSetACLResponse)],
  [OpCode.getChildren, getChildrenResponse],
  [OpCode.sync, transcode(records.readSyncResponse, records.writeSyncResponse)],
  [
    OpCode.getChildren2,
    transcode(records.readGetChildren2Response, records.writeGetChildren2Response),
  ],
  [OpCode.reconfig, getDataResponse],
  [OpCode.sasl, transcode(records.readSetSASLResponse, records.writeSetSASLResponse)],
  [
    OpCode.getEphemerals,
    transcode(records.readGetEphemeralsResponse, records.writeGetEphemeralsResponse),
  ],
  [
    OpCode.getAllChildrenNumber,
    transcode(records.readGetAllChildrenNumberResponse, records.writeGetAllChildrenNumberResponse),
  ],
  [OpCode.addWatch, errorResponse],
  [OpCode.whoAmI, transcode(records.readWhoAmIResponse, records.writeWhoAmIResponse)],
])

/** What may stand in a multi or multiRead, and getACL, which a recording puts there to be refused. */
export const partRequestRecords: ReadonlyMap<number, Transcode> = new Map(
  [
    OpCode.create,
    OpCode.create2,
    OpCode.createContainer,
    OpCode.createTTL,
    OpCode.delete,
    OpCode.setData,
    OpCode.check,
    OpCode.getChildren,
    OpCode.getData,
    OpCode.getACL,
  ].flatMap((op) => {
    const record = requestRecords.get(op)
    return record === undefined ? [] : [[op, record] as const]
  }),
)

/** By the type that stands before the result, which need not be that of the request (spec 01 §5). */
export const partReplyRecords: ReadonlyMap<number, Transcode> = new Map([
  [OpCode.error, errorResponse],
  [OpCode.create, createResponse],
  [OpCode.create2, create2Response],
  [OpCode.setData, setDataResponse],
  [OpCode.getChildren, getChildrenResponse],
  [OpCode.getData, getDataResponse],
])
