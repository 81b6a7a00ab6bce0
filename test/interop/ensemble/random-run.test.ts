/** A long random run over mixed ensembles, after which all members must have the same of everything. */
import { afterEach, describe, expect, it } from 'vitest'
import { Prng } from '../../../src/base/prng.ts'
import { OpCode } from '../../../src/data/op-code.ts'
import { create } from '../../support/requests.ts'
import { WireClient } from '../../support/wire-client.ts'
import { Ensemble } from '../harness/ensemble.ts'
import { expectEqualStates, expectNoMismatch, reportOnFailure } from '../harness/ensemble-checks.ts'
import { extendedTypesFlag, randomWrite } from '../harness/random-tree.ts'
import { defaultKind, type ServerKind } from '../harness/server.ts'

const subject = defaultKind()
const SESSION_MS = 40_000
const WRITES = 3000
const BATCH = 30
/** The original notes its digest every 128 txns; ours must note it at the same zxids. */
const DIGESTS_MIN = Math.floor(WRITES / 128) - 1

let ensemble: Ensemble | undefined
afterEach(async () => {
  await ensemble?.close()
  ensemble = undefined
})

/** The last of them leads. */
const compositions: [ServerKind, ServerKind, ServerKind][] = [
  ['apache-3.9', 'apache-3.8', subject],
  [subject, subject, 'apache-3.9'],
]

describe.each(compositions)('%s, %s, and %s as the leader', (...kinds) => {
  it('have the same nodes and the same digests after a long random run', async () => {
    ensemble = await Ensemble.create({ kinds, jvmFlags: extendedTypesFlag })
    reportOnFailure(ensemble)
    await ensemble.start(2, 3)
    await ensemble.start(1)
    await run(ensemble, new Prng(2026))
    const state = await expectEqualStates(ensemble)
    expect(state.size).toBeGreaterThan(30)
    await expectNoMismatch(ensemble)
    await expectEqualDigests(ensemble)

    // And again with what everybody has read from its own files.
    for (const member of ensemble.members) await member.stop('SIGKILL')
    await ensemble.start()
    expect([...(await expectEqualStates(ensemble)).keys()].sort()).toEqual([...state.keys()].sort())
    await expectNoMismatch(ensemble)
  })
})

/** Clients at every member write at random; some leave, and their ephemerals with them. */
async function run(ensemble: Ensemble, prng: Prng): Promise<void> {
  const clients = await Promise.all(ensemble.ports.map((port) => WireClient.open(port, SESSION_MS)))
  await clients[0]?.call(OpCode.create, create('/top'))
  for (let done = 0; done < WRITES; done += BATCH) {
    const calls = Array.from({ length: BATCH }, () => {
      const client = clients[prng.below(clients.length)]
      return client === undefined ? undefined : randomWrite(client, prng)
    })
    await Promise.all(calls)
    if (prng.below(10) === 0) {
      const index = prng.below(clients.length)
      await clients[index]?.close()
      clients[index] = await WireClient.open(ensemble.ports[index] ?? 0, SESSION_MS)
    }
  }
  // Some sessions outlive the restart below.
  for (const client of clients) client.vanish()
}

async function expectEqualDigests(ensemble: Ensemble): Promise<void> {
  const digests = await Promise.all(ensemble.members.map((member) => member.ask('hash')))
  const lines = digests.map((text) => text.split('\n').filter((line) => /^[0-9a-f]+: /.test(line)))
  // A member that has come later has not seen the first.
  const count = Math.min(...lines.map((found) => found.length))
  expect(count).toBeGreaterThanOrEqual(DIGESTS_MIN)
  for (const found of lines) expect(found.slice(-count)).toEqual(lines[0]?.slice(-count))
}
