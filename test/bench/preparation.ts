import { OpCode } from '../../src/data/op-code.ts'
import { create, getData } from '../support/requests.ts'
import { WireClient, type WireReply } from '../support/wire-client.ts'
import { nodeData, nodesToPrepare, probePath } from './frames.ts'

const SESSION_MS = 30_000

/**
 * Opens a session, reads `path` if there is one, and ends it; rejects where the server is not serving yet.
 * A server that is about to serve may also leave a connection lying, so there is an end to waiting.
 */
export async function openSession(port: number, timeoutMs: number, path?: string): Promise<void> {
  const client = await WireClient.open(port, SESSION_MS, timeoutMs)
  const timeout = setTimeout(() => client.vanish(), timeoutMs)
  try {
    if (path !== undefined) expectNoError(await client.call(OpCode.getData, getData(path)))
    await client.close()
  } finally {
    clearTimeout(timeout)
    client.vanish()
  }
}

/** Makes the znodes of all workloads on an empty server, and checks that one reads back. */
export async function prepare(port: number): Promise<void> {
  const client = await WireClient.open(port, SESSION_MS)
  try {
    const replies = nodesToPrepare().map(({ path, data }) =>
      client.call(OpCode.create, create(path, { data })),
    )
    for (const reply of await Promise.all(replies)) expectNoError(reply)
    const reply = await client.call(OpCode.getData, getData(probePath))
    expectNoError(reply)
    if (!reply.body.readBuffer().equals(nodeData))
      throw new Error(`${probePath} does not read back as it was written`)
    await client.close()
  } finally {
    client.vanish()
  }
}

function expectNoError({ err }: WireReply): void {
  if (err !== 0) throw new Error(`preparing the znodes got error ${err}`)
}
