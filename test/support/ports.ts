import { createServer } from 'node:net'

/**
 * Below the ports that the system gives to outgoing connections, so that a server which is stopped
 * finds its ports free when it comes back.
 */
const PORT_MIN = 11_000
const PORT_MAX = 31_000
const ATTEMPTS_MAX = 100

/** The first of `count` neighbouring ports of the loopback interface that nobody has bound now. */
export async function freePorts(count: number): Promise<number> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const first = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN - count))
    const ports = Array.from({ length: count }, (_, index) => first + index)
    const free = await Promise.all(ports.map(isFree))
    if (free.every(Boolean)) return first
  }
  throw new Error(`no ${count} free ports in a row`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
