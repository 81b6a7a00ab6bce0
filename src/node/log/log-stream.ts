import { fstatSync } from 'node:fs'
import { Socket } from 'node:net'
import { destination } from 'pino'

/**
 * Bytes of log lines that wait to be written.
 * @bound bytes: further lines are dropped, and counted
 */
export const LOG_BUFFER_BYTES_MAX: number = 1024 * 1024

/** Where lines go that a thread of their own or the kernel takes: never one that waits in a write. */
interface Target {
  /** False: there is no room for it. */
  write(line: string): boolean
  /** Called when there is room again. */
  onDrain(call: () => void): void
  /** Calls back when all lines are written. */
  end(done: () => void): void
  /** What can be written in this call, and without waiting for a reader. */
  flush(): void
}

/**
 * A pipe or a socket. Its descriptor does not block: a reader that has stopped keeps neither a turn
 * waiting nor a thread, which would in turn keep the process from ending.
 */
class PipeTarget implements Target {
  readonly #socket: Socket

  constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: false, writable: true })
    // A reader that went away must not take the server with it.
    this.#socket.on('error', () => {})
  }

  write(line: string): boolean {
    if (this.#socket.writableLength + line.length > LOG_BUFFER_BYTES_MAX) return false
    if (!this.#socket.destroyed) this.#socket.write(line)
    return true
  }

  onDrain(call: () => void): void {
    this.#socket.on('drain', call)
  }

  end(done: () => void): void {
    if (this.#socket.destroyed) done()
    else this.#socket.end(done)
  }

  /** What the kernel takes it has taken in the call that wrote it. */
  flush(): void {}
}

/** A file, by asynchronous writes, so that a slow disk delays no client. */
class FileTarget implements Target {
  readonly #stream: ReturnType<typeof destination>
  #hasRoom = true

  constructor(fd: number) {
    this.#stream = destination({ dest: fd, sync: false, maxLength: LOG_BUFFER_BYTES_MAX })
    this.#stream.on('error', () => {})
    this.#stream.on('drop', () => {
      this.#hasRoom = false
    })
  }

  write(line: string): boolean {
    this.#hasRoom = true
    this.#stream.write(line)
    return this.#hasRoom
  }

  onDrain(call: () => void): void {
    this.#stream.on('drain', call)
  }

  end(done: () => void): void {
    this.#stream.once('finish', done)
    this.#stream.end()
  }

  flush(): void {
    try {
      this.#stream.flushSync()
    } catch {
      // There is nobody left to tell.
    }
  }
}

/** Lines on their way out. Those for which there is no room are dropped, and their number is told. */
export class LogStream {
  readonly #target: Target
  #dropped = 0
  /** Tells that so many lines were dropped, by a line of its own. */
  onDropped: (lines: number) => void = () => {}

  constructor(fd: number) {
    const kind = fstatSync(fd)
    this.#target = kind.isFIFO() || kind.isSocket() ? new PipeTarget(fd) : new FileTarget(fd)
    this.#target.onDrain(() => this.#tellDropped())
  }

  write(line: string): void {
    // Once one is dropped all are, until what waits has left: the gap is one, and told at its place.
    if (this.#dropped > 0 || !this.#target.write(line)) this.#dropped += 1
  }

  #tellDropped(): void {
    const lines = this.#dropped
    if (lines === 0) return
    this.#dropped = 0
    this.onDropped(lines)
  }

  end(done: () => void): void {
    this.#target.end(done)
  }

  flush(): void {
    this.#target.flush()
  }
}
