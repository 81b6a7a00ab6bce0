import { createServer } from 'node:net'

/**
 * The bare server: it finds the end of each frame, as any server must, and answers with a fixed reply.
 * What the load generator gets from it is the most that any server on Node can show on this machine.
 * Arguments: port, payload bytes of the reply.
 */
const port = Number(process.argv[2])
const payloadBytes = Number(process.argv[3])

const repliesAtOnce = 1024
const reply = Buffer.alloc(4 + payloadBytes)
reply.writeInt32BE(payloadBytes)
const replies = Buffer.concat(Array.from({ length: repliesAtOnce }, () => reply))

const server = createServer({ noDelay: true }, (socket) => {
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    let count = 0
    while (bytes.length - at >= 4) {
      const end = at + 4 + bytes.readInt32BE(at)
      if (end > bytes.length) break
      at = end
      count += 1
    }
    rest = bytes.subarray(at)
    for (let left = count; left > 0; left -= repliesAtOnce)
      socket.write(replies.subarray(0, Math.min(left, repliesAtOnce) * reply.length))
  })
  socket.on('error', () => socket.destroy())
})
server.listen(port, '127.0.0.1', 1024)
process.on('SIGTERM', () => process.exit(0))
