import type { Socket } from 'node:net'
import type { ThrottledLog } from '../../base/throttled-log.ts'
import type { CnxnFacts, CnxnId } from '../../server/clients/cnxn.ts'
import type { TurnLoop } from '../../server/turn-loop.ts'
import type { Descriptors } from '../files/descriptors.ts'
import { closeGently } from './close-gently.ts'

/**
 * The sockets of clients, whichever port they have come by. Passes bytes on in both directions and does not
 * look at them.
 */
export class ClientSockets {
  readonly #sockets = new Map<CnxnId, Socket>()
  readonly #descriptors: Descriptors
  readonly #log: ThrottledLog
  #loop: TurnLoop | undefined
  #lastId = 0

  constructor(descriptors: Descriptors, log: ThrottledLog) {
    this.#descriptors = descriptors
    this.#log = log
  }

  /** To be called once, before a port listens. */
  attach(loop: TurnLoop): void {
    this.#loop = loop
  }

  /** Hands over a socket that a port has accepted. `facts` are asked for if it is let in. */
  add(socket: Socket, facts: (socket: Socket) => CnxnFacts): void {
    const loop = this.#loop
    if (loop === undefined) {
      socket.destroy()
      return
    }
    if (!this.#descriptors.take('client')) {
      this.#log.error('too many open files, refusing a client', {
        address: socket.remoteAddress,
        max: this.#descriptors.maxOf('client'),
      })
      socket.destroy()
      return
    }
    this.#lastId += 1
    const id = this.#lastId
    this.#sockets.set(id, socket)
    loop.enter((member) => member.sockets.onOpened(id, facts(socket)))
    socket.on('data', (chunk: Buffer) => loop.enter((member) => member.sockets.onBytes(id, chunk)))
    socket.on('drain', () => loop.enter((member) => member.sockets.onDrained(id)))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#sockets.delete(id)
      this.#descriptors.release()
      loop.enter((member) => member.sockets.onClosed(id))
    })
  }

  write(id: CnxnId, bytes: Buffer): number {
    const socket = this.#sockets.get(id)
    if (socket === undefined || socket.destroyed) return 0
    socket.write(bytes)
    return socket.writableLength
  }

  close(id: CnxnId, now: boolean): void {
    const socket = this.#sockets.get(id)
    if (socket === undefined) return
    if (now) socket.destroy()
    else closeGently(socket)
  }

  pause(id: CnxnId, paused: boolean): void {
    const socket = this.#sockets.get(id)
    if (paused) socket?.pause()
    else socket?.resume()
  }

  /** Ends every connection. */
  destroyAll(): void {
    for (const socket of this.#sockets.values()) socket.destroy()
  }
}
