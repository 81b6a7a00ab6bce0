import type { Config } from './config.ts'
import { isGroupKey, isWeightKey, readGroups } from './groups.ts'
import type { ConfigReader, Setting } from './reader.ts'
import { parseServerLine, type ServerLine } from './servers.ts'
import { type ConfigEntry, type ConfigFiles, shown } from './source.ts'

/** Who belongs to the ensemble, and what a server's own line says of its client port. */
export type EnsembleConfig = Pick<
  Config,
  | 'servers'
  | 'groups'
  | 'configVersion'
  | 'myid'
  | 'initLimit'
  | 'syncLimit'
  | 'connectToLearnerMasterLimit'
> & { readonly ownServer: ServerLine | undefined }

/** What the file, or the dynamic file in its stead, says of the members. */
interface Members {
  readonly servers: Map<number, ServerLine>
  readonly groups: Setting[]
  readonly weights: Setting[]
  version: number
  /** Servers may have several addresses. */
  readonly isMultiAddress: boolean
}

const SERVER = 'server.'
/** TTL nodes use the top byte 255 of an ephemeral owner, which is a server id otherwise. */
const EXTENDED_ID_MAX = 254
const ID_BYTE_MAX = 255
const ID_MAX = 2 ** 31 - 1

/** Reads server.N lines from the file or from its dynamicConfigFile, and the id of this server. */
export function readEnsembleConfig(
  reader: ConfigReader,
  dataDir: string,
  files: ConfigFiles,
): EnsembleConfig {
  const standaloneEnabled = reader.switch('standaloneEnabled')
  const members = readMembers(reader, readDynamicFile(reader, files))
  const isDistributed = checkServers(reader, members.servers, standaloneEnabled)
  const myid = readMyid(reader, dataDir, files, isDistributed)
  const limits = readLimits(reader, isDistributed)
  const ownServer = myid === undefined ? undefined : members.servers.get(myid)
  readPeerSettings(reader, isDistributed ? ownServer : undefined)
  if (isDistributed) {
    checkOwnId(reader, members.servers, myid, dataDir)
    if (ownServer?.hasSecurePort === true)
      reader.refuseMissing(
        `server.${myid}`,
        'has a secure client port, but this version has no TLS',
      )
  }
  const ascending = [...members.servers].sort(([a], [b]) => a - b)
  return {
    servers: new Map(isDistributed ? ascending : []),
    groups: isDistributed ? readGroups(reader, members, members.servers) : undefined,
    configVersion: members.version,
    myid,
    ownServer,
    ...limits,
  }
}

type EnsembleLimits = Pick<Config, 'initLimit' | 'syncLimit' | 'connectToLearnerMasterLimit'>

function readLimits(reader: ConfigReader, isDistributed: boolean): EnsembleLimits {
  const initLimit = reader.integer('initLimit')
  const syncLimit = reader.integer('syncLimit')
  const required = ['initLimit', 'syncLimit'] as const
  for (const key of isDistributed ? required : []) {
    if (reader.find(key) === undefined)
      reader.refuseMissing(key, 'is not set: an ensemble needs it')
  }
  const connect = reader.integer('connectToLearnerMasterLimit')
  return {
    initLimit: initLimit ?? 10,
    syncLimit: syncLimit ?? 5,
    connectToLearnerMasterLimit: connect === 0 ? (initLimit ?? 10) : connect,
  }
}

function readDynamicFile(
  reader: ConfigReader,
  files: ConfigFiles,
): { readonly path: string; readonly entries: readonly ConfigEntry[] } | undefined {
  const setting = reader.find('dynamicConfigFile')
  if (setting === undefined) return undefined
  const path = setting.value
  const file = files.readProperties(path)
  if (file.kind === 'read') return { path, entries: file.content }
  const reason = file.kind === 'missing' ? 'the file does not exist' : file.reason
  reader.refuse(setting, `cannot be read: ${reason}`)
  return undefined
}

type Dynamic = ReturnType<typeof readDynamicFile>

function readMembers(reader: ConfigReader, dynamic: Dynamic): Members {
  const members: Members = {
    servers: new Map(),
    groups: [],
    weights: [],
    version: 0,
    isMultiAddress: isMultiAddress(reader),
  }
  const hasDynamicFile = reader.find('dynamicConfigFile') !== undefined
  for (const prefix of [SERVER, 'group.', 'weight.'])
    for (const setting of reader.startingWith(prefix)) {
      if (/^server\.(realm|principal)$/.test(setting.key)) continue
      reader.findIn(setting.key, 'file')
      if (hasDynamicFile) reader.refuse(setting, 'must stand in the dynamicConfigFile instead')
      else addMember(reader, members, setting)
    }
  if (dynamic === undefined) return members
  members.version = versionInName(dynamic.path) ?? 0
  for (const entry of dynamic.entries) {
    const setting = { ...entry, key: entry.key.trim(), value: entry.value.trim() }
    addMember(reader, members, { ...setting, file: dynamic.path })
  }
  return members
}

function addMember(reader: ConfigReader, members: Members, setting: Setting): void {
  const { key, value } = setting
  if (key.startsWith(SERVER)) addServer(reader, members, setting)
  else if (isGroupKey(key)) members.groups.push(setting)
  else if (isWeightKey(key)) members.weights.push(setting)
  else if (key === 'version') {
    const version = parseVersion(value)
    if (version === undefined) reader.refuse(setting, 'must be a hexadecimal number')
    members.version = version ?? 0
  } else reader.refuse(setting, 'is not a key of a dynamic configuration file')
}

/** The original names the files that it writes by their version: zoo.cfg.dynamic.100000000. */
function versionInName(path: string): number | undefined {
  const dot = path.lastIndexOf('.')
  return dot < 0 ? undefined : parseVersion(path.slice(dot + 1))
}

function parseVersion(text: string): number | undefined {
  if (!/^[0-9a-f]{1,14}$/i.test(text)) return undefined
  const version = Number.parseInt(text, 16)
  return Number.isSafeInteger(version) ? version : undefined
}

function addServer(reader: ConfigReader, members: Members, setting: Setting): void {
  const number = setting.key.slice(SERVER.length)
  const id = /^[0-9]{1,10}$/.test(number) ? Number(number) : ID_MAX + 1
  if (id > ID_MAX) {
    reader.refuse(setting, `must have a number from 0 to ${ID_MAX} after 'server.'`)
    return
  }
  const line = parseServerLine(setting.value)
  if (typeof line === 'string') reader.refuse(setting, line)
  else if (line.quorumAddresses.length > 1 && !members.isMultiAddress)
    reader.refuse(setting, `has several addresses, which needs multiAddress.enabled=true`)
  else members.servers.set(id, line)
}

/** The original takes the flag alone, and documents the key; either will do here. */
function isMultiAddress(reader: ConfigReader): boolean {
  const inFile = reader.switch('multiAddress.enabled')
  return reader.switch('zookeeper.multiAddress.enabled') || inFile
}

/** Whether this is an ensemble. One `server.N` line alone is a standalone server, as HBase has it. */
function checkServers(
  reader: ConfigReader,
  servers: ReadonlyMap<number, ServerLine>,
  standaloneEnabled: boolean,
): boolean {
  const roles = [...servers.values()].map(({ role }) => role)
  const participants = roles.filter((role) => role === 'participant').length
  const file = { key: 'server.N' }
  if (participants === 0 && !standaloneEnabled)
    reader.refuseMissing(file.key, 'is not set, and with standaloneEnabled=false it must be')
  if (participants < 2 && standaloneEnabled) {
    if (participants < roles.length)
      reader.refuseMissing(file.key, 'observers need an ensemble of at least two participants')
    else if (participants === 1)
      reader.notes.push('only one server.N line: it is ignored, and this server runs standalone')
    return false
  }
  if (participants === 2) reader.notes.push('two servers tolerate no failure: have three or more')
  else if (participants > 2 && participants % 2 === 0)
    reader.notes.push(`${participants} servers tolerate no more failures than ${participants - 1}`)
  return true
}

/**
 * The id of this server: the file myid in dataDir, or, ours alone, the key myid for a data
 * directory that has no such file yet. Both must agree.
 */
function readMyid(
  reader: ConfigReader,
  dataDir: string,
  files: ConfigFiles,
  isDistributed: boolean,
): number | undefined {
  const key = reader.find('myid')
  const keyId = reader.integer('myid')
  const path = myidPath(dataDir)
  const file = dataDir === '' ? { kind: 'missing' as const } : files.readText(path)
  if (file.kind === 'missing') return checkedId(reader, keyId)
  const location = { key: 'myid', file: path, line: 1 }
  if (file.kind === 'unreadable') {
    reader.refuse({ ...location, value: '' }, `cannot be read: ${file.reason}`)
    return undefined
  }
  const value = (file.content.split('\n', 1)[0] ?? '').trim()
  // To a standalone server the number means nothing, but it must be one.
  if (!isDistributed && /^[+-]?[0-9]{1,18}$/.test(value)) {
    const id = Number(value)
    return id >= 0 && id <= ID_MAX ? id : undefined
  }
  const id = /^[0-9]{1,10}$/.test(value) ? Number(value) : ID_MAX + 1
  if (id > ID_MAX) {
    reader.refuse({ ...location, value }, `must hold one number from 0 to ${ID_MAX}`)
    return undefined
  }
  if (key !== undefined && keyId !== undefined && keyId !== id)
    reader.refuse(key, `differs from ${id}, which the file ${shown(path)} holds`)
  return checkedId(reader, id)
}

export function myidPath(dataDir: string): string {
  return `${dataDir.replace(/(?<=.)\/+$/, '')}/myid`
}

function checkedId(reader: ConfigReader, id: number | undefined): number | undefined {
  if (id === undefined) return undefined
  if (id > EXTENDED_ID_MAX && reader.switch('extendedTypesEnabled'))
    reader.refuseMissing(
      'myid',
      `is ${id}: with extendedTypesEnabled it may be ${EXTENDED_ID_MAX} at most`,
    )
  else if (id > ID_BYTE_MAX)
    reader.notes.push(`myid ${id} is above ${ID_BYTE_MAX}: session ids hold its low byte only`)
  return id
}

function checkOwnId(
  reader: ConfigReader,
  servers: ReadonlyMap<number, ServerLine>,
  myid: number | undefined,
  dataDir: string,
): void {
  const ids = [...servers.keys()].sort((a, b) => a - b).join(', ')
  if (myid === undefined)
    reader.refuseMissing(
      'myid',
      `is not set: write the number of this server (${ids}) into ${shown(myidPath(dataDir))}`,
    )
  else if (!servers.has(myid))
    reader.refuseMissing(
      `server.${myid}`,
      `is not set, but myid is ${myid}; the servers are ${ids}`,
    )
}

/** The role is that of the server.N line; peerType may say it once more. */
function readPeerSettings(reader: ConfigReader, ownServer: ServerLine | undefined): void {
  const algorithm = reader.find('electionAlg')
  if (algorithm !== undefined && algorithm.value !== '3')
    reader.refuse(algorithm, 'must be 3: the other election algorithms are no more')
  const peerType = reader.find('peerType')
  if (peerType === undefined) return
  const role = peerType.value.toLowerCase()
  if (role !== 'observer' && role !== 'participant')
    reader.refuse(peerType, 'must be participant or observer')
  else if (ownServer !== undefined && ownServer.role !== role)
    reader.notes.push(
      `peerType is ${role}, but the own server.N line says ${ownServer.role}, which counts`,
    )
}
