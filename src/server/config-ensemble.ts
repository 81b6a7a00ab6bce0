import type { Config } from './config.ts'
import type { ConfigReader, Setting } from './config-reader.ts'
import { parseServerLine, type ServerLine } from './config-servers.ts'
import { type ConfigEntry, type ConfigFiles, shown } from './config-source.ts'

/** What concerns the ensemble, and what a server's own line says of its client port. */
export type Ensemble = Pick<
  Config,
  'servers' | 'myid' | 'initLimit' | 'syncLimit' | 'standaloneEnabled'
> & { readonly ownServer: ServerLine | undefined }

interface Servers {
  readonly texts: Map<number, string>
  readonly lines: Map<number, ServerLine>
}

const SERVER = 'server.'
/** TTL nodes use the top byte 255 of an ephemeral owner, which is a server id otherwise. */
const EXTENDED_ID_MAX = 254
const ID_BYTE_MAX = 255
const ID_MAX = 2 ** 31 - 1

/** Reads server.N lines from the file or from its dynamicConfigFile, and the id of this server. */
export function readEnsemble(reader: ConfigReader, dataDir: string, files: ConfigFiles): Ensemble {
  const standaloneEnabled = reader.boolean('standaloneEnabled', 'file', true)
  const dynamic = readDynamicFile(reader, files)
  const servers = readServers(reader, dynamic)
  const myid = readMyid(reader, dataDir, files)
  const isDistributed = checkServers(reader, servers, standaloneEnabled)
  readPeerSettings(reader)
  const limit = { min: 1, unit: 'ticks' }
  const initLimit = reader.integer('initLimit', 'file', undefined, limit)
  const syncLimit = reader.integer('syncLimit', 'file', undefined, limit)
  if (isDistributed) {
    checkOwnId(reader, servers, myid, dataDir)
    for (const key of ['initLimit', 'syncLimit']) {
      if (reader.find(key, 'file') === undefined)
        reader.refuseMissing(key, 'is not set: an ensemble needs it')
    }
  }
  return {
    servers: isDistributed ? servers.texts : new Map(),
    myid,
    ownServer: myid === undefined ? undefined : servers.lines.get(myid),
    initLimit: initLimit ?? 10,
    syncLimit: syncLimit ?? 5,
    standaloneEnabled,
  }
}

function readDynamicFile(
  reader: ConfigReader,
  files: ConfigFiles,
): { readonly path: string; readonly entries: readonly ConfigEntry[] } | undefined {
  const setting = reader.find('dynamicConfigFile', 'file')
  if (setting === undefined) return undefined
  const path = setting.value
  const file = files.readProperties(path)
  if (file.kind === 'read') return { path, entries: file.content }
  const reason = file.kind === 'missing' ? 'the file does not exist' : file.reason
  reader.refuse(setting, `cannot be read: ${reason}`)
  return undefined
}

type Dynamic = ReturnType<typeof readDynamicFile>

function readServers(reader: ConfigReader, dynamic: Dynamic): Servers {
  const servers: Servers = { texts: new Map(), lines: new Map() }
  const hasDynamicFile = reader.find('dynamicConfigFile', 'file') !== undefined
  for (const setting of reader.startingWith(SERVER)) {
    if (/^server\.(realm|principal)$/.test(setting.key)) continue
    reader.find(setting.key, 'file')
    if (hasDynamicFile) reader.refuse(setting, 'must stand in the dynamicConfigFile instead')
    else addServer(reader, servers, setting)
  }
  for (const entry of dynamic?.entries ?? []) {
    const setting = { ...entry, key: entry.key.trim(), value: entry.value.trim() }
    const located = { ...setting, file: dynamic?.path ?? '' }
    if (setting.key.startsWith(SERVER)) addServer(reader, servers, located)
    else if (!/^(group|weight)/.test(setting.key))
      reader.refuse(located, 'is not a key of a dynamic configuration file')
  }
  return servers
}

function addServer(reader: ConfigReader, servers: Servers, setting: Setting): void {
  const number = setting.key.slice(SERVER.length)
  const id = /^[0-9]{1,10}$/.test(number) ? Number(number) : ID_MAX + 1
  if (id > ID_MAX) {
    reader.refuse(setting, `must have a number from 0 to ${ID_MAX} after 'server.'`)
    return
  }
  const line = parseServerLine(setting.value)
  if (typeof line === 'string') reader.refuse(setting, line)
  else {
    servers.texts.set(id, setting.value)
    servers.lines.set(id, line)
  }
}

/** Whether this is an ensemble. One `server.N` line alone is a standalone server, as HBase has it. */
function checkServers(reader: ConfigReader, servers: Servers, standaloneEnabled: boolean): boolean {
  const roles = [...servers.lines.values()].map(({ role }) => role)
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
function readMyid(reader: ConfigReader, dataDir: string, files: ConfigFiles): number | undefined {
  const range = { min: 0, max: ID_MAX }
  const key = reader.find('myid', 'file')
  const keyId = reader.integer('myid', 'file', undefined, range)
  const path = myidPath(dataDir)
  const file = dataDir === '' ? { kind: 'missing' as const } : files.readText(path)
  if (file.kind === 'missing') return checkedId(reader, keyId)
  const location = { key: 'myid', file: path, line: 1 }
  if (file.kind === 'unreadable') {
    reader.refuse({ ...location, value: '' }, `cannot be read: ${file.reason}`)
    return undefined
  }
  const value = (file.content.split('\n', 1)[0] ?? '').trim()
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
  if (id > EXTENDED_ID_MAX && reader.boolean('extendedTypesEnabled', 'property', false))
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
  servers: Servers,
  myid: number | undefined,
  dataDir: string,
): void {
  const ids = [...servers.texts.keys()].sort((a, b) => a - b).join(', ')
  if (myid === undefined)
    reader.refuseMissing(
      'myid',
      `is not set: write the number of this server (${ids}) into ${shown(myidPath(dataDir))}`,
    )
  else if (!servers.texts.has(myid))
    reader.refuseMissing(
      `server.${myid}`,
      `is not set, but myid is ${myid}; the servers are ${ids}`,
    )
}

function readPeerSettings(reader: ConfigReader): void {
  const algorithm = reader.find('electionAlg', 'file')
  if (algorithm !== undefined && algorithm.value !== '3')
    reader.refuse(algorithm, 'must be 3: the other election algorithms are no more')
  const peerType = reader.find('peerType', 'file')
  if (peerType !== undefined && !/^(observer|participant)$/i.test(peerType.value))
    reader.refuse(peerType, 'must be participant or observer')
}
