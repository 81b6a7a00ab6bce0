import { connect } from 'node:net'
import { formatConfigError, isConfigError } from '../../config/source.ts'
import { loadConfig } from './config-file.ts'
import type { CommandContext } from './daemon.ts'

/**
 * How long `zk-server status` waits for an answer.
 * @bound milliseconds: the server counts as not answering
 */
const ANSWER_MS_MAX = 5000
/**
 * What `zk-server status` reads of an answer.
 * @bound bytes: the connection is closed
 */
const ANSWER_BYTES_MAX = 1024 * 1024

/** Asks the server for its mode. 0: it serves. */
export async function status(file: string, context: CommandContext): Promise<0 | 1> {
  const { env, out, err } = context
  const loaded = loadConfig(file, env)
  if (isConfigError(loaded)) {
    err(`${formatConfigError(loaded)}\n`)
    return 1
  }
  const { clientPort, clientPortAddress } = loaded.config
  if (clientPort === undefined || clientPort === 0) {
    out('Unable to find the client port in the configuration. Terminating.\n')
    return 1
  }
  const host = clientPortAddress ?? 'localhost'
  out(`Client port found: ${clientPort}. Client address: ${host}. Client SSL: false.\n`)
  const answer = await askFourLetterWord(host, clientPort, 'srvr')
  const mode = answer?.split('\n').find((line) => line.startsWith('Mode'))
  if (mode === undefined) {
    out('Error contacting service. It is probably not running.\n')
    return 1
  }
  out(`${mode}\n`)
  return 0
}

/** The whole answer; undefined if there was none within 5 s. */
export function askFourLetterWord(
  host: string,
  port: number,
  word: string,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const socket = connect({ host, port })
    socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy())
    socket.on('connect', () => socket.write(word))
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes > ANSWER_BYTES_MAX) socket.destroy()
    })
    // The server closes after its answer, with a reset if it did not read everything.
    socket.on('error', () => {})
    socket.on('close', () => resolve(bytes === 0 ? undefined : Buffer.concat(chunks).toString()))
  })
}
