import { openSync, readFileSync } from 'node:fs'

/**
 * Descriptors of the process that no accepted socket may take: the log and its next file, a
 * snapshot, the epoch files, those of Node itself, and the connections that a member opens to
 * others.
 * @bound descriptors: a client, then a link of the ensemble, is refused
 */
export const FILE_DESCRIPTORS_RESERVED = 64
/**
 * On top of those, what no client may take: connections that the members of an ensemble open.
 * @bound descriptors: a client is refused
 */
export const PEER_DESCRIPTORS_RESERVED = 64
/** Of a very low limit each reserve is this share at most. */
const RESERVE_SHARE_MAX = 1 / 4

type SocketKind = 'client' | 'peer'

/**
 * Counts the sockets that were let in, and refuses those that would take the descriptors which the
 * log needs. A server that cannot open its next log file can acknowledge nothing more.
 */
export class Descriptors {
  readonly #max: Readonly<Record<SocketKind, number>>
  #taken = 0

  /** `limit` of the process; below 0: unknown, and nothing is refused. */
  constructor(limit: number) {
    const most = limit < 0 ? Infinity : limit
    const shareMax = Math.floor(most * RESERVE_SHARE_MAX)
    const peer = most - Math.min(FILE_DESCRIPTORS_RESERVED, shareMax)
    const client = peer - Math.min(PEER_DESCRIPTORS_RESERVED, shareMax)
    this.#max = { client, peer }
  }

  /** How many sockets there may be, of both kinds, when one of this kind is let in. */
  maxOf(kind: SocketKind): number {
    return this.#max[kind]
  }

  /** False: it must be closed at once. True: `release` follows when it is gone. */
  take(kind: SocketKind): boolean {
    if (this.#taken >= this.#max[kind]) return false
    this.#taken += 1
    return true
  }

  release(): void {
    this.#taken -= 1
  }
}

/** -1 where the system does not tell. */
export function descriptorsMax(): number {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return limit === undefined ? -1 : Number(limit)
  } catch {
    return -1
  }
}

/** Whether the process, or the whole machine, has no descriptor left; somebody will give one back. */
export function isShortage(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'EMFILE' || code === 'ENFILE'
}

/** Between two tries to open a file for which there was no descriptor. */
export const SHORTAGE_RETRY_MS = 50

/**
 * Opens a file as soon as there is a descriptor for it. `onOpened` is called in this call if there
 * is one now, `onShort` before each wait.
 */
export function openPatiently(
  path: string,
  flags: number | string,
  calls: {
    readonly onOpened: (fd: number) => void
    readonly onFailed: (error: unknown) => void
    readonly onShort: () => void
  },
): void {
  let fd: number
  try {
    fd = openSync(path, flags, 0o644)
  } catch (error) {
    if (!isShortage(error)) return calls.onFailed(error)
    calls.onShort()
    setTimeout(() => openPatiently(path, flags, calls), SHORTAGE_RETRY_MS)
    return
  }
  calls.onOpened(fd)
}
