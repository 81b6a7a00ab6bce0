import type { Socket } from 'node:net'

/** How long the other side may take to end its half, once it has been sent the last bytes. */
const LINGER_MS = 1000
/**
 * How long the last bytes of a connection, which may be the long text of a four-letter word, may
 * take to leave.
 * @bound milliseconds: the socket is destroyed
 */
const FLUSH_MS_MAX = 30_000

/**
 * Ends a connection behind what was written to it. Destroyed with bytes unread, the kernel would answer
 * with a reset that overtakes our last ones: so what still comes is read and forgotten.
 */
export function closeGently(socket: Socket): void {
  const destroyIn = (ms: number): void => {
    setTimeout(() => socket.destroy(), ms).unref()
  }
  socket.end(() => destroyIn(LINGER_MS))
  socket.resume()
  destroyIn(FLUSH_MS_MAX)
}
