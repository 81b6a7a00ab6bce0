// Generated from records.jute by jute-ts, do not edit: compile records.jute anew.
import type { JuteReader, JuteWriter } from 'jute-ts'

/** Whom an ACL entry means, or who a connection has shown to be. */
export interface Id {
  readonly scheme: string
  readonly id: string
}

export function readId(r: JuteReader): Id {
  return {
    scheme: r.readString(),
    id: r.readString(),
  }
}

export function writeId(w: JuteWriter, v: Id): void {
  w.writeString(v.scheme)
  w.writeString(v.id)
}

/** One entry of a node's access control list; perms are bits of Perms. */
export interface ACL {
  readonly perms: number
  readonly id: Id
}

export function readACL(r: JuteReader): ACL {
  return {
    perms: r.readInt(),
    id: readId(r),
  }
}

export function writeACL(w: JuteWriter, v: ACL): void {
  w.writeInt(v.perms)
  writeId(w, v.id)
}

/** An Id as a client may send it: a null string is judged where its meaning is known, not here. */
export interface UncheckedId {
  readonly scheme: string | null
  readonly id: string | null
}

export function readUncheckedId(r: JuteReader): UncheckedId {
  return {
    scheme: r.readNullableString(),
    id: r.readNullableString(),
  }
}

export function writeUncheckedId(w: JuteWriter, v: UncheckedId): void {
  w.writeString(v.scheme)
  w.writeString(v.id)
}

/** An entry of the list that a client wishes for, before it is fixed up. */
export interface UncheckedACL {
  readonly perms: number
  readonly id: UncheckedId
}

export function readUncheckedACL(r: JuteReader): UncheckedACL {
  return {
    perms: r.readInt(),
    id: readUncheckedId(r),
  }
}

export function writeUncheckedACL(w: JuteWriter, v: UncheckedACL): void {
  w.writeInt(v.perms)
  writeUncheckedId(w, v.id)
}

/** What clients are told of a node: 68 bytes. */
export interface Stat {
  readonly czxid: number
  readonly mzxid: number
  /** Milliseconds since 1970, as all times. */
  readonly ctime: number
  readonly mtime: number
  readonly version: number
  /** Counts creations and deletions of children, see Znode. */
  readonly cversion: number
  readonly aversion: number
  /** The session of an ephemeral, else 0: container and TTL marks are not shown. */
  readonly ephemeralOwner: bigint
  readonly dataLength: number
  readonly numChildren: number
  readonly pzxid: number
}

export function readStat(r: JuteReader): Stat {
  return {
    czxid: r.readNumber(),
    mzxid: r.readNumber(),
    ctime: r.readNumber(),
    mtime: r.readNumber(),
    version: r.readInt(),
    cversion: r.readInt(),
    aversion: r.readInt(),
    ephemeralOwner: r.readLong(),
    dataLength: r.readInt(),
    numChildren: r.readInt(),
    pzxid: r.readNumber(),
  }
}

export function writeStat(w: JuteWriter, v: Stat): void {
  const at = w.reserve(68)
  w.patchNumber(at, v.czxid)
  w.patchNumber(at + 8, v.mzxid)
  w.patchNumber(at + 16, v.ctime)
  w.patchNumber(at + 24, v.mtime)
  w.patchInt(at + 32, v.version)
  w.patchInt(at + 36, v.cversion)
  w.patchInt(at + 40, v.aversion)
  w.patchLong(at + 44, v.ephemeralOwner)
  w.patchInt(at + 52, v.dataLength)
  w.patchInt(at + 56, v.numChildren)
  w.patchNumber(at + 60, v.pzxid)
}

/** What a snapshot keeps of a node: 60 bytes. */
export interface StatPersisted {
  readonly czxid: number
  readonly mzxid: number
  readonly ctime: number
  readonly mtime: number
  readonly version: number
  readonly cversion: number
  readonly aversion: number
  /** A session, 0, or a container or TTL mark. */
  readonly ephemeralOwner: bigint
  readonly pzxid: number
}

export function readStatPersisted(r: JuteReader): StatPersisted {
  return {
    czxid: r.readNumber(),
    mzxid: r.readNumber(),
    ctime: r.readNumber(),
    mtime: r.readNumber(),
    version: r.readInt(),
    cversion: r.readInt(),
    aversion: r.readInt(),
    ephemeralOwner: r.readLong(),
    pzxid: r.readNumber(),
  }
}

export function writeStatPersisted(w: JuteWriter, v: StatPersisted): void {
  const at = w.reserve(60)
  w.patchNumber(at, v.czxid)
  w.patchNumber(at + 8, v.mzxid)
  w.patchNumber(at + 16, v.ctime)
  w.patchNumber(at + 24, v.mtime)
  w.patchInt(at + 32, v.version)
  w.patchInt(at + 36, v.cversion)
  w.patchInt(at + 40, v.aversion)
  w.patchLong(at + 44, v.ephemeralOwner)
  w.patchNumber(at + 52, v.pzxid)
}

/** One id in the answer to whoAmI, without its secret. */
export interface ClientInfo {
  readonly authScheme: string
  readonly user: string | null
}

export function readClientInfo(r: JuteReader): ClientInfo {
  return {
    authScheme: r.readString(),
    user: r.readNullableString(),
  }
}

export function writeClientInfo(w: JuteWriter, v: ClientInfo): void {
  w.writeString(v.authScheme)
  w.writeString(v.user)
}

/** The first frame of a client, without the readOnly byte that may follow. */
export interface ConnectRequest {
  readonly protocolVersion: number
  readonly lastZxidSeen: number
  /** Milliseconds. */
  readonly timeOut: number
  readonly sessionId: bigint
  readonly passwd: Buffer | null
}

export function readConnectRequest(r: JuteReader): ConnectRequest {
  return {
    protocolVersion: r.readInt(),
    lastZxidSeen: r.readNumber(),
    timeOut: r.readInt(),
    sessionId: r.readLong(),
    passwd: r.readNullableBuffer(),
  }
}

export function writeConnectRequest(w: JuteWriter, v: ConnectRequest): void {
  const at = w.reserve(24)
  w.patchInt(at, v.protocolVersion)
  w.patchNumber(at + 4, v.lastZxidSeen)
  w.patchInt(at + 12, v.timeOut)
  w.patchLong(at + 16, v.sessionId)
  w.writeBuffer(v.passwd)
}

/** The answer to it, without the readOnly byte that follows for clients that sent theirs. */
export interface ConnectResponse {
  readonly protocolVersion: number
  /** Milliseconds; 0 refuses the session. */
  readonly timeOut: number
  readonly sessionId: bigint
  readonly passwd: Buffer | null
}

export function readConnectResponse(r: JuteReader): ConnectResponse {
  return {
    protocolVersion: r.readInt(),
    timeOut: r.readInt(),
    sessionId: r.readLong(),
    passwd: r.readNullableBuffer(),
  }
}

export function writeConnectResponse(w: JuteWriter, v: ConnectResponse): void {
  const at = w.reserve(16)
  w.patchInt(at, v.protocolVersion)
  w.patchInt(at + 4, v.timeOut)
  w.patchLong(at + 8, v.sessionId)
  w.writeBuffer(v.passwd)
}

/** Before every request but the first. */
export interface RequestHeader {
  readonly xid: number
  readonly type: number
}

export function readRequestHeader(r: JuteReader): RequestHeader {
  return {
    xid: r.readInt(),
    type: r.readInt(),
  }
}

export function writeRequestHeader(w: JuteWriter, v: RequestHeader): void {
  const at = w.reserve(8)
  w.patchInt(at, v.xid)
  w.patchInt(at + 4, v.type)
}

/** Before every reply and watch event; with err other than 0 nothing follows. */
export interface ReplyHeader {
  readonly xid: number
  readonly zxid: number
  readonly err: number
}

export function readReplyHeader(r: JuteReader): ReplyHeader {
  return {
    xid: r.readInt(),
    zxid: r.readNumber(),
    err: r.readInt(),
  }
}

export function writeReplyHeader(w: JuteWriter, v: ReplyHeader): void {
  const at = w.reserve(16)
  w.patchInt(at, v.xid)
  w.patchNumber(at + 4, v.zxid)
  w.patchInt(at + 12, v.err)
}

/** Before every part of a multi, and at its end with done. */
export interface MultiHeader {
  readonly type: number
  readonly done: boolean
  readonly err: number
}

export function readMultiHeader(r: JuteReader): MultiHeader {
  return {
    type: r.readInt(),
    done: r.readBoolean(),
    err: r.readInt(),
  }
}

export function writeMultiHeader(w: JuteWriter, v: MultiHeader): void {
  const at = w.reserve(9)
  w.patchInt(at, v.type)
  w.patchBoolean(at + 4, v.done)
  w.patchInt(at + 5, v.err)
}

/** Of auth: credentials for one scheme. */
export interface AuthPacket {
  readonly type: number
  readonly scheme: string | null
  readonly auth: Buffer | null
}

export function readAuthPacket(r: JuteReader): AuthPacket {
  return {
    type: r.readInt(),
    scheme: r.readNullableString(),
    auth: r.readNullableBuffer(),
  }
}

export function writeAuthPacket(w: JuteWriter, v: AuthPacket): void {
  w.writeInt(v.type)
  w.writeString(v.scheme)
  w.writeBuffer(v.auth)
}

/** Of sasl: the next token of the client. */
export interface GetSASLRequest {
  readonly token: Buffer | null
}

export function readGetSASLRequest(r: JuteReader): GetSASLRequest {
  return {
    token: r.readNullableBuffer(),
  }
}

export function writeGetSASLRequest(w: JuteWriter, v: GetSASLRequest): void {
  w.writeBuffer(v.token)
}

/** Of the old sasl exchange, as GetSASLRequest. */
export interface SetSASLRequest {
  readonly token: Buffer | null
}

export function readSetSASLRequest(r: JuteReader): SetSASLRequest {
  return {
    token: r.readNullableBuffer(),
  }
}

export function writeSetSASLRequest(w: JuteWriter, v: SetSASLRequest): void {
  w.writeBuffer(v.token)
}

/** To sasl: the next token of the server. */
export interface SetSASLResponse {
  readonly token: Buffer | null
}

export function readSetSASLResponse(r: JuteReader): SetSASLResponse {
  return {
    token: r.readNullableBuffer(),
  }
}

export function writeSetSASLResponse(w: JuteWriter, v: SetSASLResponse): void {
  w.writeBuffer(v.token)
}

/** Of create, create2 and createContainer. */
export interface CreateRequest {
  readonly path: string
  readonly data: Buffer | null
  readonly acl: readonly UncheckedACL[] | null
  readonly flags: number
}

export function readCreateRequest(r: JuteReader): CreateRequest {
  return {
    path: r.readString(),
    data: r.readNullableBuffer(),
    acl: readNullableVectorOfUncheckedACL(r),
    flags: r.readInt(),
  }
}

export function writeCreateRequest(w: JuteWriter, v: CreateRequest): void {
  w.writeString(v.path)
  w.writeBuffer(v.data)
  writeNullableVectorOfUncheckedACL(w, v.acl)
  w.writeInt(v.flags)
}

/** Of createTTL. */
export interface CreateTTLRequest {
  readonly path: string
  readonly data: Buffer | null
  readonly acl: readonly UncheckedACL[] | null
  readonly flags: number
  /** Milliseconds. */
  readonly ttl: bigint
}

export function readCreateTTLRequest(r: JuteReader): CreateTTLRequest {
  return {
    path: r.readString(),
    data: r.readNullableBuffer(),
    acl: readNullableVectorOfUncheckedACL(r),
    flags: r.readInt(),
    ttl: r.readLong(),
  }
}

export function writeCreateTTLRequest(w: JuteWriter, v: CreateTTLRequest): void {
  w.writeString(v.path)
  w.writeBuffer(v.data)
  writeNullableVectorOfUncheckedACL(w, v.acl)
  const at = w.reserve(12)
  w.patchInt(at, v.flags)
  w.patchLong(at + 4, v.ttl)
}

/** To create: the path with its sequence suffix. */
export interface CreateResponse {
  readonly path: string
}

export function readCreateResponse(r: JuteReader): CreateResponse {
  return {
    path: r.readString(),
  }
}

export function writeCreateResponse(w: JuteWriter, v: CreateResponse): void {
  w.writeString(v.path)
}

/** To create2, createContainer and createTTL. */
export interface Create2Response {
  readonly path: string
  readonly stat: Stat
}

export function readCreate2Response(r: JuteReader): Create2Response {
  return {
    path: r.readString(),
    stat: readStat(r),
  }
}

export function writeCreate2Response(w: JuteWriter, v: Create2Response): void {
  w.writeString(v.path)
  writeStat(w, v.stat)
}

/** Of delete; version -1 is any. */
export interface DeleteRequest {
  readonly path: string
  readonly version: number
}

export function readDeleteRequest(r: JuteReader): DeleteRequest {
  return {
    path: r.readString(),
    version: r.readInt(),
  }
}

export function writeDeleteRequest(w: JuteWriter, v: DeleteRequest): void {
  w.writeString(v.path)
  w.writeInt(v.version)
}

/** Of exists. */
export interface ExistsRequest {
  readonly path: string
  readonly watch: boolean
}

export function readExistsRequest(r: JuteReader): ExistsRequest {
  return {
    path: r.readString(),
    watch: r.readBoolean(),
  }
}

export function writeExistsRequest(w: JuteWriter, v: ExistsRequest): void {
  w.writeString(v.path)
  w.writeBoolean(v.watch)
}

/** To exists. */
export interface ExistsResponse {
  readonly stat: Stat
}

export function readExistsResponse(r: JuteReader): ExistsResponse {
  return {
    stat: readStat(r),
  }
}

export function writeExistsResponse(w: JuteWriter, v: ExistsResponse): void {
  writeStat(w, v.stat)
}

/** Of getData. */
export interface GetDataRequest {
  readonly path: string
  readonly watch: boolean
}

export function readGetDataRequest(r: JuteReader): GetDataRequest {
  return {
    path: r.readString(),
    watch: r.readBoolean(),
  }
}

export function writeGetDataRequest(w: JuteWriter, v: GetDataRequest): void {
  w.writeString(v.path)
  w.writeBoolean(v.watch)
}

/** To getData and reconfig. */
export interface GetDataResponse {
  readonly data: Buffer | null
  readonly stat: Stat
}

export function readGetDataResponse(r: JuteReader): GetDataResponse {
  return {
    data: r.readNullableBuffer(),
    stat: readStat(r),
  }
}

export function writeGetDataResponse(w: JuteWriter, v: GetDataResponse): void {
  w.writeBuffer(v.data)
  writeStat(w, v.stat)
}

/** Of setData; version -1 is any. */
export interface SetDataRequest {
  readonly path: string | null
  readonly data: Buffer | null
  readonly version: number
}

export function readSetDataRequest(r: JuteReader): SetDataRequest {
  return {
    path: r.readNullableString(),
    data: r.readNullableBuffer(),
    version: r.readInt(),
  }
}

export function writeSetDataRequest(w: JuteWriter, v: SetDataRequest): void {
  w.writeString(v.path)
  w.writeBuffer(v.data)
  w.writeInt(v.version)
}

/** To setData. */
export interface SetDataResponse {
  readonly stat: Stat
}

export function readSetDataResponse(r: JuteReader): SetDataResponse {
  return {
    stat: readStat(r),
  }
}

export function writeSetDataResponse(w: JuteWriter, v: SetDataResponse): void {
  writeStat(w, v.stat)
}

/** Of getACL. */
export interface GetACLRequest {
  readonly path: string
}

export function readGetACLRequest(r: JuteReader): GetACLRequest {
  return {
    path: r.readString(),
  }
}

export function writeGetACLRequest(w: JuteWriter, v: GetACLRequest): void {
  w.writeString(v.path)
}

/** To getACL. */
export interface GetACLResponse {
  readonly acl: readonly ACL[]
  readonly stat: Stat
}

export function readGetACLResponse(r: JuteReader): GetACLResponse {
  return {
    acl: readVectorOfACL(r),
    stat: readStat(r),
  }
}

export function writeGetACLResponse(w: JuteWriter, v: GetACLResponse): void {
  writeVectorOfACL(w, v.acl)
  writeStat(w, v.stat)
}

/** Of setACL; version is compared with aversion, -1 is any. */
export interface SetACLRequest {
  readonly path: string | null
  readonly acl: readonly UncheckedACL[] | null
  readonly version: number
}

export function readSetACLRequest(r: JuteReader): SetACLRequest {
  return {
    path: r.readNullableString(),
    acl: readNullableVectorOfUncheckedACL(r),
    version: r.readInt(),
  }
}

export function writeSetACLRequest(w: JuteWriter, v: SetACLRequest): void {
  w.writeString(v.path)
  writeNullableVectorOfUncheckedACL(w, v.acl)
  w.writeInt(v.version)
}

/** To setACL. */
export interface SetACLResponse {
  readonly stat: Stat
}

export function readSetACLResponse(r: JuteReader): SetACLResponse {
  return {
    stat: readStat(r),
  }
}

export function writeSetACLResponse(w: JuteWriter, v: SetACLResponse): void {
  writeStat(w, v.stat)
}

/** Of getChildren. */
export interface GetChildrenRequest {
  readonly path: string
  readonly watch: boolean
}

export function readGetChildrenRequest(r: JuteReader): GetChildrenRequest {
  return {
    path: r.readString(),
    watch: r.readBoolean(),
  }
}

export function writeGetChildrenRequest(w: JuteWriter, v: GetChildrenRequest): void {
  w.writeString(v.path)
  w.writeBoolean(v.watch)
}

/** To getChildren: names, not paths, in no order. */
export interface GetChildrenResponse {
  readonly children: readonly string[]
}

export function readGetChildrenResponse(r: JuteReader): GetChildrenResponse {
  return {
    children: readVectorOfUstring(r),
  }
}

export function writeGetChildrenResponse(w: JuteWriter, v: GetChildrenResponse): void {
  writeVectorOfUstring(w, v.children)
}

/** Of getChildren2. */
export interface GetChildren2Request {
  readonly path: string
  readonly watch: boolean
}

export function readGetChildren2Request(r: JuteReader): GetChildren2Request {
  return {
    path: r.readString(),
    watch: r.readBoolean(),
  }
}

export function writeGetChildren2Request(w: JuteWriter, v: GetChildren2Request): void {
  w.writeString(v.path)
  w.writeBoolean(v.watch)
}

/** To getChildren2. */
export interface GetChildren2Response {
  readonly children: readonly string[]
  readonly stat: Stat
}

export function readGetChildren2Response(r: JuteReader): GetChildren2Response {
  return {
    children: readVectorOfUstring(r),
    stat: readStat(r),
  }
}

export function writeGetChildren2Response(w: JuteWriter, v: GetChildren2Response): void {
  writeVectorOfUstring(w, v.children)
  writeStat(w, v.stat)
}

/** Of sync. */
export interface SyncRequest {
  readonly path: string | null
}

export function readSyncRequest(r: JuteReader): SyncRequest {
  return {
    path: r.readNullableString(),
  }
}

export function writeSyncRequest(w: JuteWriter, v: SyncRequest): void {
  w.writeString(v.path)
}

/** To sync: the path of the request. */
export interface SyncResponse {
  readonly path: string | null
}

export function readSyncResponse(r: JuteReader): SyncResponse {
  return {
    path: r.readNullableString(),
  }
}

export function writeSyncResponse(w: JuteWriter, v: SyncResponse): void {
  w.writeString(v.path)
}

/** Of check, in a multi; version -1 is any. */
export interface CheckVersionRequest {
  readonly path: string | null
  readonly version: number
}

export function readCheckVersionRequest(r: JuteReader): CheckVersionRequest {
  return {
    path: r.readNullableString(),
    version: r.readInt(),
  }
}

export function writeCheckVersionRequest(w: JuteWriter, v: CheckVersionRequest): void {
  w.writeString(v.path)
  w.writeInt(v.version)
}

/** Of reconfig: either a change (joining, leaving) or all newMembers. */
export interface ReconfigRequest {
  readonly joiningServers: string | null
  readonly leavingServers: string | null
  readonly newMembers: string | null
  /** The version the change is made to; -1 is any. */
  readonly curConfigId: bigint
}

export function readReconfigRequest(r: JuteReader): ReconfigRequest {
  return {
    joiningServers: r.readNullableString(),
    leavingServers: r.readNullableString(),
    newMembers: r.readNullableString(),
    curConfigId: r.readLong(),
  }
}

export function writeReconfigRequest(w: JuteWriter, v: ReconfigRequest): void {
  w.writeString(v.joiningServers)
  w.writeString(v.leavingServers)
  w.writeString(v.newMembers)
  w.writeLong(v.curConfigId)
}

/** Of checkWatches; type is one of WatcherType. */
export interface CheckWatchesRequest {
  readonly path: string
  readonly type: number
}

export function readCheckWatchesRequest(r: JuteReader): CheckWatchesRequest {
  return {
    path: r.readString(),
    type: r.readInt(),
  }
}

export function writeCheckWatchesRequest(w: JuteWriter, v: CheckWatchesRequest): void {
  w.writeString(v.path)
  w.writeInt(v.type)
}

/** Of removeWatches. */
export interface RemoveWatchesRequest {
  readonly path: string
  readonly type: number
}

export function readRemoveWatchesRequest(r: JuteReader): RemoveWatchesRequest {
  return {
    path: r.readString(),
    type: r.readInt(),
  }
}

export function writeRemoveWatchesRequest(w: JuteWriter, v: RemoveWatchesRequest): void {
  w.writeString(v.path)
  w.writeInt(v.type)
}

/** Of addWatch; mode 0 is persistent, 1 persistent recursive. */
export interface AddWatchRequest {
  readonly path: string
  readonly mode: number
}

export function readAddWatchRequest(r: JuteReader): AddWatchRequest {
  return {
    path: r.readString(),
    mode: r.readInt(),
  }
}

export function writeAddWatchRequest(w: JuteWriter, v: AddWatchRequest): void {
  w.writeString(v.path)
  w.writeInt(v.mode)
}

/** Of setWatches: what a client that comes back still watches. */
export interface SetWatches {
  readonly relativeZxid: number
  readonly dataWatches: readonly string[]
  readonly existWatches: readonly string[]
  readonly childWatches: readonly string[]
}

export function readSetWatches(r: JuteReader): SetWatches {
  return {
    relativeZxid: r.readNumber(),
    dataWatches: readVectorOfUstring(r),
    existWatches: readVectorOfUstring(r),
    childWatches: readVectorOfUstring(r),
  }
}

export function writeSetWatches(w: JuteWriter, v: SetWatches): void {
  w.writeNumber(v.relativeZxid)
  writeVectorOfUstring(w, v.dataWatches)
  writeVectorOfUstring(w, v.existWatches)
  writeVectorOfUstring(w, v.childWatches)
}

/** Of setWatches2. */
export interface SetWatches2 {
  readonly relativeZxid: number
  readonly dataWatches: readonly string[]
  readonly existWatches: readonly string[]
  readonly childWatches: readonly string[]
  readonly persistentWatches: readonly string[]
  readonly persistentRecursiveWatches: readonly string[]
}

export function readSetWatches2(r: JuteReader): SetWatches2 {
  return {
    relativeZxid: r.readNumber(),
    dataWatches: readVectorOfUstring(r),
    existWatches: readVectorOfUstring(r),
    childWatches: readVectorOfUstring(r),
    persistentWatches: readVectorOfUstring(r),
    persistentRecursiveWatches: readVectorOfUstring(r),
  }
}

export function writeSetWatches2(w: JuteWriter, v: SetWatches2): void {
  w.writeNumber(v.relativeZxid)
  writeVectorOfUstring(w, v.dataWatches)
  writeVectorOfUstring(w, v.existWatches)
  writeVectorOfUstring(w, v.childWatches)
  writeVectorOfUstring(w, v.persistentWatches)
  writeVectorOfUstring(w, v.persistentRecursiveWatches)
}

/** Of getEphemerals; null is any prefix, as the original answers it. */
export interface GetEphemeralsRequest {
  readonly prefixPath: string | null
}

export function readGetEphemeralsRequest(r: JuteReader): GetEphemeralsRequest {
  return {
    prefixPath: r.readNullableString(),
  }
}

export function writeGetEphemeralsRequest(w: JuteWriter, v: GetEphemeralsRequest): void {
  w.writeString(v.prefixPath)
}

/** To getEphemerals: paths. */
export interface GetEphemeralsResponse {
  readonly ephemerals: readonly string[]
}

export function readGetEphemeralsResponse(r: JuteReader): GetEphemeralsResponse {
  return {
    ephemerals: readVectorOfUstring(r),
  }
}

export function writeGetEphemeralsResponse(w: JuteWriter, v: GetEphemeralsResponse): void {
  writeVectorOfUstring(w, v.ephemerals)
}

/** Of getAllChildrenNumber. */
export interface GetAllChildrenNumberRequest {
  readonly path: string
}

export function readGetAllChildrenNumberRequest(r: JuteReader): GetAllChildrenNumberRequest {
  return {
    path: r.readString(),
  }
}

export function writeGetAllChildrenNumberRequest(
  w: JuteWriter,
  v: GetAllChildrenNumberRequest,
): void {
  w.writeString(v.path)
}

/** To getAllChildrenNumber: nodes below the path, at any depth. */
export interface GetAllChildrenNumberResponse {
  readonly totalNumber: number
}

export function readGetAllChildrenNumberResponse(r: JuteReader): GetAllChildrenNumberResponse {
  return {
    totalNumber: r.readInt(),
  }
}

export function writeGetAllChildrenNumberResponse(
  w: JuteWriter,
  v: GetAllChildrenNumberResponse,
): void {
  w.writeInt(v.totalNumber)
}

/** To whoAmI. */
export interface WhoAmIResponse {
  readonly clientInfo: readonly ClientInfo[]
}

export function readWhoAmIResponse(r: JuteReader): WhoAmIResponse {
  return {
    clientInfo: readVectorOfClientInfo(r),
  }
}

export function writeWhoAmIResponse(w: JuteWriter, v: WhoAmIResponse): void {
  writeVectorOfClientInfo(w, v.clientInfo)
}

/** To addWatch, and for each part of a multi that failed. */
export interface ErrorResponse {
  readonly err: number
}

export function readErrorResponse(r: JuteReader): ErrorResponse {
  return {
    err: r.readInt(),
  }
}

export function writeErrorResponse(w: JuteWriter, v: ErrorResponse): void {
  w.writeInt(v.err)
}

/** The body of a watch event. */
export interface WatcherEvent {
  readonly type: number
  readonly state: number
  readonly path: string
}

export function readWatcherEvent(r: JuteReader): WatcherEvent {
  return {
    type: r.readInt(),
    state: r.readInt(),
    path: r.readString(),
  }
}

export function writeWatcherEvent(w: JuteWriter, v: WatcherEvent): void {
  const at = w.reserve(8)
  w.patchInt(at, v.type)
  w.patchInt(at + 4, v.state)
  w.writeString(v.path)
}

/** In the schema since 3.0, sent by no client. */
export interface GetMaxChildrenRequest {
  readonly path: string
}

export function readGetMaxChildrenRequest(r: JuteReader): GetMaxChildrenRequest {
  return {
    path: r.readString(),
  }
}

export function writeGetMaxChildrenRequest(w: JuteWriter, v: GetMaxChildrenRequest): void {
  w.writeString(v.path)
}

/** In the schema since 3.0, sent by no server. */
export interface GetMaxChildrenResponse {
  readonly max: number
}

export function readGetMaxChildrenResponse(r: JuteReader): GetMaxChildrenResponse {
  return {
    max: r.readInt(),
  }
}

export function writeGetMaxChildrenResponse(w: JuteWriter, v: GetMaxChildrenResponse): void {
  w.writeInt(v.max)
}

/** In the schema since 3.0, sent by no client. */
export interface SetMaxChildrenRequest {
  readonly path: string
  readonly max: number
}

export function readSetMaxChildrenRequest(r: JuteReader): SetMaxChildrenRequest {
  return {
    path: r.readString(),
    max: r.readInt(),
  }
}

export function writeSetMaxChildrenRequest(w: JuteWriter, v: SetMaxChildrenRequest): void {
  w.writeString(v.path)
  w.writeInt(v.max)
}

/** At the start of every txn log and snapshot. */
export interface FileHeader {
  /** 'ZKLG' or 'ZKSN' as an int. */
  readonly magic: number
  readonly version: number
  readonly dbid: number
}

export function readFileHeader(r: JuteReader): FileHeader {
  return {
    magic: r.readInt(),
    version: r.readInt(),
    dbid: r.readNumber(),
  }
}

export function writeFileHeader(w: JuteWriter, v: FileHeader): void {
  const at = w.reserve(16)
  w.patchInt(at, v.magic)
  w.patchInt(at + 4, v.version)
  w.patchNumber(at + 8, v.dbid)
}

/** A session in a snapshot, after their count; also in a PING of a learner. */
export interface SessionTimeout {
  readonly id: bigint
  /** Milliseconds. */
  readonly timeOut: number
}

export function readSessionTimeout(r: JuteReader): SessionTimeout {
  return {
    id: r.readLong(),
    timeOut: r.readInt(),
  }
}

export function writeSessionTimeout(w: JuteWriter, v: SessionTimeout): void {
  const at = w.reserve(12)
  w.patchLong(at, v.id)
  w.patchInt(at + 8, v.timeOut)
}

/** A list of the ACL table in a snapshot, after their count. */
export interface ACLCacheEntry {
  readonly key: bigint
  readonly acl: readonly ACL[]
}

export function readACLCacheEntry(r: JuteReader): ACLCacheEntry {
  return {
    key: r.readLong(),
    acl: readVectorOfACL(r),
  }
}

export function writeACLCacheEntry(w: JuteWriter, v: ACLCacheEntry): void {
  w.writeLong(v.key)
  writeVectorOfACL(w, v.acl)
}

/** A node in a snapshot, behind its path: the path "/" ends the list and has no node. */
export interface NodeRecord {
  readonly data: Buffer | null
  /** Of the ACL table, or -1: open to all. */
  readonly acl: bigint
  readonly stat: StatPersisted
}

export function readNodeRecord(r: JuteReader): NodeRecord {
  return {
    data: r.readNullableBuffer(),
    acl: r.readLong(),
    stat: readStatPersisted(r),
  }
}

export function writeNodeRecord(w: JuteWriter, v: NodeRecord): void {
  w.writeBuffer(v.data)
  w.writeLong(v.acl)
  writeStatPersisted(w, v.stat)
}

/** At the start of every log entry and proposal: 32 bytes. */
export interface TxnHeader {
  readonly clientId: bigint
  readonly cxid: number
  readonly zxid: number
  readonly time: number
  readonly type: number
}

export function readTxnHeader(r: JuteReader): TxnHeader {
  return {
    clientId: r.readLong(),
    cxid: r.readInt(),
    zxid: r.readNumber(),
    time: r.readNumber(),
    type: r.readInt(),
  }
}

export function writeTxnHeader(w: JuteWriter, v: TxnHeader): void {
  const at = w.reserve(32)
  w.patchLong(at, v.clientId)
  w.patchInt(at + 8, v.cxid)
  w.patchNumber(at + 12, v.zxid)
  w.patchNumber(at + 20, v.time)
  w.patchInt(at + 28, v.type)
}

/** Of the tree after the txn, at the end of an entry since 3.6; error txns have none. */
export interface TxnDigest {
  readonly version: number
  readonly treeDigest: bigint
}

export function readTxnDigest(r: JuteReader): TxnDigest {
  return {
    version: r.readInt(),
    treeDigest: r.readLong(),
  }
}

export function writeTxnDigest(w: JuteWriter, v: TxnDigest): void {
  const at = w.reserve(12)
  w.patchInt(at, v.version)
  w.patchLong(at + 4, v.treeDigest)
}

/** A create before 3.4. */
export interface CreateTxnV0 {
  readonly path: string
  readonly data: Buffer | null
  readonly acl: readonly ACL[]
  readonly ephemeral: boolean
}

export function readCreateTxnV0(r: JuteReader): CreateTxnV0 {
  return {
    path: r.readString(),
    data: r.readNullableBuffer(),
    acl: readVectorOfACL(r),
    ephemeral: r.readBoolean(),
  }
}

export function writeCreateTxnV0(w: JuteWriter, v: CreateTxnV0): void {
  w.writeString(v.path)
  w.writeBuffer(v.data)
  writeVectorOfACL(w, v.acl)
  w.writeBoolean(v.ephemeral)
}

/** A create and a create2. The path is final, the cversion that of the parent afterwards. */
export interface CreateTxn {
  readonly path: string
  readonly data: Buffer | null
  readonly acl: readonly ACL[]
  readonly ephemeral: boolean
  readonly parentCVersion: number
}

export function readCreateTxn(r: JuteReader): CreateTxn {
  return {
    path: r.readString(),
    data: r.readNullableBuffer(),
    acl: readVectorOfACL(r),
    ephemeral: r.readBoolean(),
    parentCVersion: r.readInt(),
  }
}

export function writeCreateTxn(w: JuteWriter, v: CreateTxn): void {
  w.writeString(v.path)
  w.writeBuffer(v.data)
  writeVectorOfACL(w, v.acl)
  const at = w.reserve(5)
  w.patchBoolean(at, v.ephemeral)
  w.patchInt(at + 1, v.parentCVersion)
}

/** A createContainer. */
export interface CreateContainerTxn {
  readonly path: string
  readonly data: Buffer | null
  readonly acl: readonly ACL[]
  readonly parentCVersion: number
}

export function readCreateContainerTxn(r: JuteReader): CreateContainerTxn {
  return {
    path: r.readString(),
    data: r.readNullableBuffer(),
    acl: readVectorOfACL(r),
    parentCVersion: r.readInt(),
  }
}

export function writeCreateContainerTxn(w: JuteWriter, v: CreateContainerTxn): void {
  w.writeString(v.path)
  w.writeBuffer(v.data)
  writeVectorOfACL(w, v.acl)
  w.writeInt(v.parentCVersion)
}

/** A createTTL. */
export interface CreateTTLTxn {
  readonly path: string
  readonly data: Buffer | null
  readonly acl: readonly ACL[]
  readonly parentCVersion: number
  /** Milliseconds. */
  readonly ttl: bigint
}

export function readCreateTTLTxn(r: JuteReader): CreateTTLTxn {
  return {
    path: r.readString(),
    data: r.readNullableBuffer(),
    acl: readVectorOfACL(r),
    parentCVersion: r.readInt(),
    ttl: r.readLong(),
  }
}

export function writeCreateTTLTxn(w: JuteWriter, v: CreateTTLTxn): void {
  w.writeString(v.path)
  w.writeBuffer(v.data)
  writeVectorOfACL(w, v.acl)
  const at = w.reserve(12)
  w.patchInt(at, v.parentCVersion)
  w.patchLong(at + 4, v.ttl)
}

/** A delete and a deleteContainer. */
export interface DeleteTxn {
  readonly path: string
}

export function readDeleteTxn(r: JuteReader): DeleteTxn {
  return {
    path: r.readString(),
  }
}

export function writeDeleteTxn(w: JuteWriter, v: DeleteTxn): void {
  w.writeString(v.path)
}

/** A setData and a reconfig; the version is the new one. */
export interface SetDataTxn {
  readonly path: string
  readonly data: Buffer | null
  readonly version: number
}

export function readSetDataTxn(r: JuteReader): SetDataTxn {
  return {
    path: r.readString(),
    data: r.readNullableBuffer(),
    version: r.readInt(),
  }
}

export function writeSetDataTxn(w: JuteWriter, v: SetDataTxn): void {
  w.writeString(v.path)
  w.writeBuffer(v.data)
  w.writeInt(v.version)
}

/** A setACL; the version is the new aversion. */
export interface SetACLTxn {
  readonly path: string
  readonly acl: readonly ACL[]
  readonly version: number
}

export function readSetACLTxn(r: JuteReader): SetACLTxn {
  return {
    path: r.readString(),
    acl: readVectorOfACL(r),
    version: r.readInt(),
  }
}

export function writeSetACLTxn(w: JuteWriter, v: SetACLTxn): void {
  w.writeString(v.path)
  writeVectorOfACL(w, v.acl)
  w.writeInt(v.version)
}

/** A check, in a multi; the version is that of the node, plus 1. */
export interface CheckVersionTxn {
  readonly path: string
  readonly version: number
}

export function readCheckVersionTxn(r: JuteReader): CheckVersionTxn {
  return {
    path: r.readString(),
    version: r.readInt(),
  }
}

export function writeCheckVersionTxn(w: JuteWriter, v: CheckVersionTxn): void {
  w.writeString(v.path)
  w.writeInt(v.version)
}

/** In the schema, never written. */
export interface SetMaxChildrenTxn {
  readonly path: string
  readonly max: number
}

export function readSetMaxChildrenTxn(r: JuteReader): SetMaxChildrenTxn {
  return {
    path: r.readString(),
    max: r.readInt(),
  }
}

export function writeSetMaxChildrenTxn(w: JuteWriter, v: SetMaxChildrenTxn): void {
  w.writeString(v.path)
  w.writeInt(v.max)
}

/** A createSession; the session is the clientId of the header. */
export interface CreateSessionTxn {
  /** Milliseconds. */
  readonly timeOut: number
}

export function readCreateSessionTxn(r: JuteReader): CreateSessionTxn {
  return {
    timeOut: r.readInt(),
  }
}

export function writeCreateSessionTxn(w: JuteWriter, v: CreateSessionTxn): void {
  w.writeInt(v.timeOut)
}

/** A closeSession since 3.6, with the ephemerals that go with it; before, it had no body. */
export interface CloseSessionTxn {
  readonly paths2Delete: readonly string[]
}

export function readCloseSessionTxn(r: JuteReader): CloseSessionTxn {
  return {
    paths2Delete: readVectorOfUstring(r),
  }
}

export function writeCloseSessionTxn(w: JuteWriter, v: CloseSessionTxn): void {
  writeVectorOfUstring(w, v.paths2Delete)
}

/** A write that failed. */
export interface ErrorTxn {
  readonly err: number
}

export function readErrorTxn(r: JuteReader): ErrorTxn {
  return {
    err: r.readInt(),
  }
}

export function writeErrorTxn(w: JuteWriter, v: ErrorTxn): void {
  w.writeInt(v.err)
}

/** One part of a multi: the data is a txn of that type. */
export interface Txn {
  readonly type: number
  readonly data: Buffer | null
}

export function readTxn(r: JuteReader): Txn {
  return {
    type: r.readInt(),
    data: r.readNullableBuffer(),
  }
}

export function writeTxn(w: JuteWriter, v: Txn): void {
  w.writeInt(v.type)
  w.writeBuffer(v.data)
}

/** A multi. */
export interface MultiTxn {
  readonly txns: readonly Txn[]
}

export function readMultiTxn(r: JuteReader): MultiTxn {
  return {
    txns: readVectorOfTxn(r),
  }
}

export function writeMultiTxn(w: JuteWriter, v: MultiTxn): void {
  writeVectorOfTxn(w, v.txns)
}

/** All that leader and learners say to each other, one after the other without a length. */
export interface QuorumPacket {
  readonly type: number
  readonly zxid: number
  readonly data: Buffer | null
  readonly authinfo: readonly Id[] | null
}

export function readQuorumPacket(r: JuteReader): QuorumPacket {
  return {
    type: r.readInt(),
    zxid: r.readNumber(),
    data: r.readNullableBuffer(),
    authinfo: readNullableVectorOfId(r),
  }
}

export function writeQuorumPacket(w: JuteWriter, v: QuorumPacket): void {
  const at = w.reserve(12)
  w.patchInt(at, v.type)
  w.patchNumber(at + 4, v.zxid)
  w.writeBuffer(v.data)
  writeNullableVectorOfId(w, v.authinfo)
}

/** The data of FOLLOWERINFO and OBSERVERINFO since 3.5. */
export interface LearnerInfo {
  readonly serverid: bigint
  readonly protocolVersion: number
  readonly configVersion: bigint
}

export function readLearnerInfo(r: JuteReader): LearnerInfo {
  return {
    serverid: r.readLong(),
    protocolVersion: r.readInt(),
    configVersion: r.readLong(),
  }
}

export function writeLearnerInfo(w: JuteWriter, v: LearnerInfo): void {
  const at = w.reserve(20)
  w.patchLong(at, v.serverid)
  w.patchInt(at + 8, v.protocolVersion)
  w.patchLong(at + 12, v.configVersion)
}

/** The same of 3.4, which ends earlier. */
export interface LearnerInfoV34 {
  readonly serverid: bigint
  readonly protocolVersion: number
}

export function readLearnerInfoV34(r: JuteReader): LearnerInfoV34 {
  return {
    serverid: r.readLong(),
    protocolVersion: r.readInt(),
  }
}

export function writeLearnerInfoV34(w: JuteWriter, v: LearnerInfoV34): void {
  const at = w.reserve(12)
  w.patchLong(at, v.serverid)
  w.patchInt(at + 8, v.protocolVersion)
}

/** Between servers that authenticate each other, before anything else. */
export interface QuorumAuthPacket {
  readonly magic: bigint
  readonly status: number
  readonly token: Buffer | null
}

export function readQuorumAuthPacket(r: JuteReader): QuorumAuthPacket {
  return {
    magic: r.readLong(),
    status: r.readInt(),
    token: r.readNullableBuffer(),
  }
}

export function writeQuorumAuthPacket(w: JuteWriter, v: QuorumAuthPacket): void {
  const at = w.reserve(12)
  w.patchLong(at, v.magic)
  w.patchInt(at + 8, v.status)
  w.writeBuffer(v.token)
}

/** The data of a REQUEST, before the body of the client's request. */
export interface LearnerRequest {
  readonly sessionId: bigint
  readonly cxid: number
  readonly type: number
}

export function readLearnerRequest(r: JuteReader): LearnerRequest {
  return {
    sessionId: r.readLong(),
    cxid: r.readInt(),
    type: r.readInt(),
  }
}

export function writeLearnerRequest(w: JuteWriter, v: LearnerRequest): void {
  const at = w.reserve(16)
  w.patchLong(at, v.sessionId)
  w.patchInt(at + 8, v.cxid)
  w.patchInt(at + 12, v.type)
}

/** The data of REVALIDATE from the leader; from a learner it is a SessionTimeout. */
export interface RevalidateResponse {
  readonly sessionId: bigint
  readonly valid: boolean
}

export function readRevalidateResponse(r: JuteReader): RevalidateResponse {
  return {
    sessionId: r.readLong(),
    valid: r.readBoolean(),
  }
}

export function writeRevalidateResponse(w: JuteWriter, v: RevalidateResponse): void {
  const at = w.reserve(9)
  w.patchLong(at, v.sessionId)
  w.patchBoolean(at + 8, v.valid)
}

/** What a server sends first on an election connection it opens, since 3.5. */
export interface InitialMessage {
  /** -65536, or -65535 with several addresses; a value from 0 on is the sid of a 3.4 server. */
  readonly protocolVersion: bigint
  readonly sid: bigint
  /** Election addresses as UTF-8 text, host:port, several joined by '|'. */
  readonly address: Buffer
}

export function readInitialMessage(r: JuteReader): InitialMessage {
  return {
    protocolVersion: r.readLong(),
    sid: r.readLong(),
    address: r.readBuffer(),
  }
}

export function writeInitialMessage(w: JuteWriter, v: InitialMessage): void {
  const at = w.reserve(16)
  w.patchLong(at, v.protocolVersion)
  w.patchLong(at + 8, v.sid)
  w.writeBuffer(v.address)
}

/** An election message in its oldest form; all longs may be Long.MIN_VALUE, from observers. */
export interface NotificationV0 {
  readonly state: number
  readonly leader: bigint
  readonly zxid: bigint
  readonly electionEpoch: bigint
}

export function readNotificationV0(r: JuteReader): NotificationV0 {
  return {
    state: r.readInt(),
    leader: r.readLong(),
    zxid: r.readLong(),
    electionEpoch: r.readLong(),
  }
}

export function writeNotificationV0(w: JuteWriter, v: NotificationV0): void {
  const at = w.reserve(28)
  w.patchInt(at, v.state)
  w.patchLong(at + 4, v.leader)
  w.patchLong(at + 12, v.zxid)
  w.patchLong(at + 20, v.electionEpoch)
}

/** The same of 3.4 and later, up to where 3.4 reads. */
export interface NotificationV1 {
  readonly state: number
  readonly leader: bigint
  readonly zxid: bigint
  readonly electionEpoch: bigint
  readonly peerEpoch: bigint
  readonly version: number
}

export function readNotificationV1(r: JuteReader): NotificationV1 {
  return {
    state: r.readInt(),
    leader: r.readLong(),
    zxid: r.readLong(),
    electionEpoch: r.readLong(),
    peerEpoch: r.readLong(),
    version: r.readInt(),
  }
}

export function writeNotificationV1(w: JuteWriter, v: NotificationV1): void {
  const at = w.reserve(40)
  w.patchInt(at, v.state)
  w.patchLong(at + 4, v.leader)
  w.patchLong(at + 12, v.zxid)
  w.patchLong(at + 20, v.electionEpoch)
  w.patchLong(at + 28, v.peerEpoch)
  w.patchInt(at + 36, v.version)
}

/** The same of 3.5 and later. */
export interface NotificationV2 {
  readonly state: number
  readonly leader: bigint
  readonly zxid: bigint
  readonly electionEpoch: bigint
  readonly peerEpoch: bigint
  readonly version: number
  /** The text of the configuration that the sender has last seen. */
  readonly config: Buffer
}

export function readNotificationV2(r: JuteReader): NotificationV2 {
  return {
    state: r.readInt(),
    leader: r.readLong(),
    zxid: r.readLong(),
    electionEpoch: r.readLong(),
    peerEpoch: r.readLong(),
    version: r.readInt(),
    config: r.readBuffer(),
  }
}

export function writeNotificationV2(w: JuteWriter, v: NotificationV2): void {
  const at = w.reserve(40)
  w.patchInt(at, v.state)
  w.patchLong(at + 4, v.leader)
  w.patchLong(at + 12, v.zxid)
  w.patchLong(at + 20, v.electionEpoch)
  w.patchLong(at + 28, v.peerEpoch)
  w.patchInt(at + 36, v.version)
  w.writeBuffer(v.config)
}

function readNullableVectorOfUncheckedACL(r: JuteReader): readonly UncheckedACL[] | null {
  const count = r.readVectorCount(12)
  if (count < 0) return null
  const items: UncheckedACL[] = []
  for (let i = 0; i < count && r.ok; i += 1) items.push(readUncheckedACL(r))
  return r.ok ? items : []
}

function writeVectorOfUncheckedACL(w: JuteWriter, items: readonly UncheckedACL[]): void {
  w.writeInt(items.length)
  for (const item of items) writeUncheckedACL(w, item)
}

function writeNullableVectorOfUncheckedACL(
  w: JuteWriter,
  items: readonly UncheckedACL[] | null,
): void {
  if (items === null) w.writeInt(-1)
  else writeVectorOfUncheckedACL(w, items)
}

function readVectorOfACL(r: JuteReader): readonly ACL[] {
  const count = r.readVectorCount(12)
  if (count < 0) r.fail()
  const items: ACL[] = []
  for (let i = 0; i < count && r.ok; i += 1) items.push(readACL(r))
  return r.ok ? items : []
}

function writeVectorOfACL(w: JuteWriter, items: readonly ACL[]): void {
  w.writeInt(items.length)
  for (const item of items) writeACL(w, item)
}

function readVectorOfUstring(r: JuteReader): readonly string[] {
  const count = r.readVectorCount(4)
  if (count < 0) r.fail()
  const items: string[] = []
  for (let i = 0; i < count && r.ok; i += 1) items.push(r.readString())
  return r.ok ? items : []
}

function writeVectorOfUstring(w: JuteWriter, items: readonly string[]): void {
  w.writeInt(items.length)
  for (const item of items) w.writeString(item)
}

function readVectorOfClientInfo(r: JuteReader): readonly ClientInfo[] {
  const count = r.readVectorCount(8)
  if (count < 0) r.fail()
  const items: ClientInfo[] = []
  for (let i = 0; i < count && r.ok; i += 1) items.push(readClientInfo(r))
  return r.ok ? items : []
}

function writeVectorOfClientInfo(w: JuteWriter, items: readonly ClientInfo[]): void {
  w.writeInt(items.length)
  for (const item of items) writeClientInfo(w, item)
}

function readVectorOfTxn(r: JuteReader): readonly Txn[] {
  const count = r.readVectorCount(8)
  if (count < 0) r.fail()
  const items: Txn[] = []
  for (let i = 0; i < count && r.ok; i += 1) items.push(readTxn(r))
  return r.ok ? items : []
}

function writeVectorOfTxn(w: JuteWriter, items: readonly Txn[]): void {
  w.writeInt(items.length)
  for (const item of items) writeTxn(w, item)
}

function readNullableVectorOfId(r: JuteReader): readonly Id[] | null {
  const count = r.readVectorCount(8)
  if (count < 0) return null
  const items: Id[] = []
  for (let i = 0; i < count && r.ok; i += 1) items.push(readId(r))
  return r.ok ? items : []
}

function writeVectorOfId(w: JuteWriter, items: readonly Id[]): void {
  w.writeInt(items.length)
  for (const item of items) writeId(w, item)
}

function writeNullableVectorOfId(w: JuteWriter, items: readonly Id[] | null): void {
  if (items === null) w.writeInt(-1)
  else writeVectorOfId(w, items)
}
