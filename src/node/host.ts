import { readdirSync, readFileSync, statSync } from 'node:fs'
import {
  arch,
  freemem,
  homedir,
  hostname,
  release,
  tmpdir,
  totalmem,
  type,
  userInfo,
} from 'node:os'
import { dirname, join } from 'node:path'
import type { BuildInfo } from '../admin/member-view.ts'
import type { HostView } from '../admin/server-view.ts'
import type { Config } from '../config/config.ts'
import { descriptorsMax } from './files/descriptors.ts'

/** The version of ZooKeeper whose behaviour this is; tools read it to know what a server can do. */
const PROTOCOL_VERSION = '3.9.5'
const MEGABYTE = 1024 * 1024

interface PackageFile {
  readonly version: string
}

/** From package.json and the age of this very file: two levels up, built or not. */
export function buildInfo(): BuildInfo {
  const file = new URL('../../package.json', import.meta.url)
  const parsed: PackageFile = JSON.parse(readFileSync(file, 'utf8'))
  const built = statSync(new URL(import.meta.url)).mtime.toISOString()
  return {
    version: `${PROTOCOL_VERSION}-zk-server-${parsed.version}`,
    builtOn: `${built.slice(0, 10)} ${built.slice(11, 16)} UTC`,
  }
}

/** What the machine can tell about this process, looked up when a four-letter word asks. */
export function hostView(config: Config): HostView {
  return {
    get dataDirBytes() {
      return folderBytes(join(config.dataDir, 'version-2'))
    },
    get logDirBytes() {
      return folderBytes(join(config.dataLogDir, 'version-2'))
    },
    get openFileDescriptors() {
      return countOpenFiles()
    },
    get maxFileDescriptors() {
      return descriptorsMax()
    },
    get environment() {
      return environment()
    },
  }
}

function folderBytes(folder: string): number {
  let bytes = 0
  try {
    for (const name of readdirSync(folder))
      bytes += statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0
  } catch {
    // Not there yet: it takes no space.
    return 0
  }
  return bytes
}

/** -1 where the system does not tell. */
function countOpenFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return -1
  }
}

function environment(): ReadonlyMap<string, string> {
  const user = userInfo()
  const { LD_LIBRARY_PATH: libraryPath = '' } = process.env
  return new Map([
    ['host.name', hostname()],
    ['java.version', process.version],
    ['java.vendor', 'Node.js'],
    ['java.home', dirname(process.execPath)],
    ['java.class.path', import.meta.dirname],
    ['java.library.path', libraryPath],
    ['java.io.tmpdir', tmpdir()],
    ['os.name', type()],
    ['os.arch', arch()],
    ['os.version', release()],
    ['user.name', user.username],
    ['user.home', homedir()],
    ['user.dir', process.cwd()],
    ['os.memory.free', `${Math.floor(freemem() / MEGABYTE)}MB`],
    ['os.memory.max', `${Math.floor(totalmem() / MEGABYTE)}MB`],
    ['os.memory.total', `${Math.floor(process.memoryUsage().rss / MEGABYTE)}MB`],
  ])
}
