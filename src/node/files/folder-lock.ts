import { closeSync, openSync, rmSync, statSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'

/**
 * The owner listens on two sockets. The kernel ends them with the process, however that ends.
 *
 * - One is in the folder. It holds across containers that share the folder, where process ids mean
 *   nothing. A crash leaves its name, on which nobody answers: the next owner takes that away.
 * - One, on Linux, has a name that is in no file system. Nothing of it is ever left, so that of many
 *   who come at once only one gets to look at the name that a crash has left.
 */
const LOCK_NAME = 'zk-server.lock'
/** What fits in a socket address; a longer path goes by way of the open folder. */
const PATH_BYTES_MAX = 100
/**
 * How long a second server waits for the one that may hold the data directory to answer.
 * @bound milliseconds: nobody holds the lock
 */
const ANSWER_MS_MAX = 1000

/** A folder that this process alone works in. */
export class FolderLock {
  readonly #servers: readonly Server[]
  readonly #fd: number | undefined

  private constructor(servers: readonly Server[], fd: number | undefined) {
    this.#servers = servers
    this.#fd = fd
  }

  /**
   * `held`: another process has it; `reason` says which. `unknown`: this file system cannot say, for
   * the reason given.
   */
  static async take(
    folder: string,
  ): Promise<FolderLock | { readonly kind: 'held' | 'unknown'; readonly reason: string }> {
    const plain = join(folder, LOCK_NAME)
    const isLong = Buffer.byteLength(plain) > PATH_BYTES_MAX
    const fd = isLong ? openSync(folder, 'r') : undefined
    const path = fd === undefined ? plain : `/proc/self/fd/${fd}/${LOCK_NAME}`
    const servers: Server[] = []
    const problem = await listenOnAll(folder, path, servers)
    if (problem === undefined) return new FolderLock(servers, fd)
    new FolderLock(servers, fd).release()
    if (problem.code !== 'EADDRINUSE') return { kind: 'unknown', reason: problem.code }
    return { kind: 'held', reason: `${plain} is held by ${problem.owner}` }
  }

  /** The name goes with it. */
  release(): void {
    for (const server of this.#servers) server.close()
    if (this.#fd !== undefined) closeSync(this.#fd)
  }
}

interface LockProblem {
  readonly code: string
  readonly owner: string
}

/** Adds to `servers` what it listens on. Undefined: on all. */
async function listenOnAll(
  folder: string,
  path: string,
  servers: Server[],
): Promise<LockProblem | undefined> {
  if (process.platform === 'linux') {
    const { dev, ino } = statSync(folder, { bigint: true })
    const abstract = `\0zk-server/${dev}/${ino}`
    const server = await listen(abstract)
    if (server === 'EADDRINUSE')
      return { code: server, owner: (await ownerOf(abstract)) ?? 'another process' }
    if (typeof server !== 'string') servers.push(server)
  }
  let server = await listen(path)
  if (server === 'EADDRINUSE') {
    const owner = await ownerOf(path)
    if (owner !== undefined) return { code: server, owner }
    rmSync(path, { force: true })
    server = await listen(path)
  }
  if (typeof server === 'string') return { code: server, owner: 'another process' }
  servers.push(server)
  return undefined
}

/** A string is the code of an error. */
function listen(path: string): Promise<Server | string> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.end(`process ${process.pid}`)
    })
    server.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen(path, () => resolve(server.unref()))
  })
}

/** Who listens there. Undefined: nobody does. */
function ownerOf(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    let answer = ''
    let isConnected = false
    const socket = connect(path)
    socket.setEncoding('utf8')
    // An owner that is busy loading answers late, and is an owner all the same.
    socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy())
    socket.on('connect', () => {
      isConnected = true
    })
    socket.on('data', (text: string) => {
      answer += text
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      resolve(isConnected ? answer || 'another process' : undefined)
    })
  })
}
