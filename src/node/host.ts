import { readFileSync, statSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
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

/**
 * What the machine can tell about this process. It is looked up beforehand, so that no turn of the
 * member waits for a file system when a four-letter word asks.
 */
export class HostFacts implements HostView {
  readonly maxFileDescriptors: number
  dataDirBytes = 0
  logDirBytes = 0
  openFileDescriptors = -1
  environment: ReadonlyMap<string, string>
  readonly #config: Config
  readonly #fixed: readonly (readonly [string, string])[]
  #refreshing: Promise<void> | undefined = undefined

  constructor(config: Config, maxFileDescriptors: number) {
    this.#config = config
    this.#fixed = fixedEnvironment()
    this.maxFileDescriptors = maxFileDescriptors
    this.environment = new Map([...this.#fixed, ...memory()])
  }

  /** Looks everything up again; one look at a time, however long a disk takes. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#look().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  async #look(): Promise<void> {
    const { dataDir, dataLogDir } = this.#config
    this.environment = new Map([...this.#fixed, ...memory()])
    this.openFileDescriptors = await countOpenFiles()
    this.dataDirBytes = await folderBytes(join(dataDir, 'version-2'))
    this.logDirBytes =
      dataLogDir === dataDir ? this.dataDirBytes : await folderBytes(join(dataLogDir, 'version-2'))
  }
}

/** One that is not there yet, or goes meanwhile, takes no space. */
async function folderBytes(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => [])
  let bytes = 0
  for (const name of names)
    bytes += await stat(join(folder, name)).then(
      ({ size }) => size,
      () => 0,
    )
  return bytes
}

const OPEN_FILES = '/proc/self/fd'

/** -1 where the system does not tell. Since 6.2 Linux counts them itself; before, its size says 0. */
async function countOpenFiles(): Promise<number> {
  try {
    const { size } = await stat(OPEN_FILES)
    return size > 0 ? size : (await readdir(OPEN_FILES)).length
  } catch {
    return -1
  }
}

/** What stays as it is while the process lives. */
function fixedEnvironment(): readonly (readonly [string, string])[] {
  const user = userInfo()
  const { LD_LIBRARY_PATH: libraryPath = '' } = process.env
  return [
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
  ]
}

function memory(): readonly (readonly [string, string])[] {
  return [
    ['os.memory.free', `${Math.floor(freemem() / MEGABYTE)}MB`],
    ['os.memory.max', `${Math.floor(totalmem() / MEGABYTE)}MB`],
    ['os.memory.total', `${Math.floor(process.memoryUsage().rss / MEGABYTE)}MB`],
  ]
}
