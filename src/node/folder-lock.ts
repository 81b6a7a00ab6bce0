import { closeSync, linkSync, openSync, renameSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'

/**
 * A socket in the folder that its owner listens on. The kernel ends it with the process, however that
 * ends; what is left is a name that nobody answers on, and that the next owner takes. It holds across
 * containers that share the folder, where process ids mean nothing.
 */
const LOCK_NAME = 'zk-server.lock'
/** What fits in a socket address; a longer path goes by way of the open folder. */
const PATH_BYTES_MAX = 100
const ATTEMPTS_MAX = 5
const ANSWER_MS_MAX = 1000

/** A folder that this process alone works in. */
export class FolderLock {
  readonly #server: Server
  readonly #fd: number | undefined

  private constructor(server: Server, fd: number | undefined) {
    this.#server = server
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
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const server = await listen(path)
      if (typeof server !== 'string') return new FolderLock(server, fd)
      if (server !== 'EADDRINUSE') return { kind: 'unknown', reason: server }
      const owner = await ownerOf(path)
      if (owner !== undefined) return { kind: 'held', reason: `${plain} is held by ${owner}` }
      await removeStale(path)
    }
    return { kind: 'held', reason: `${plain} is taken again and again` }
  }

  /** The name goes with it. */
  release(): void {
    this.#server.close()
    if (this.#fd !== undefined) closeSync(this.#fd)
  }
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

/**
 * Takes a name away that nobody answers on. Between the question and now another process may have
 * done so and listen itself, so the name is moved aside first, asked again, and then put back.
 */
async function removeStale(path: string): Promise<void> {
  const aside = `${path}.${process.pid}`
  try {
    renameSync(path, aside)
  } catch {
    // Somebody else was faster.
    return
  }
  if ((await ownerOf(aside)) !== undefined) linkSync(aside, path)
  unlinkSync(aside)
}
