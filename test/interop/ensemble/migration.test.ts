/** Three Apache servers become three of ours, one at a time under load, and go back. */
import { afterEach, describe, expect, it } from 'vitest'
import { CheckedLoad } from '../harness/checked-load.ts'
import { Ensemble } from '../harness/ensemble.ts'
import { expectEqualStates, expectNoMismatch, reportOnFailure } from '../harness/ensemble-checks.ts'
import { extendedTypesFlag } from '../harness/random-tree.ts'
import { defaultKind, type ServerKind } from '../harness/server.ts'

const subject = defaultKind()
const others = (['apache-3.8', 'apache-3.9'] as const).filter((kind) => kind !== subject)
/** Acknowledged between two exchanges, so that every mixture has written something. */
const WRITES_BETWEEN = 300

let ensemble: Ensemble | undefined
let load: CheckedLoad | undefined
afterEach(async () => {
  load?.abandon()
  await ensemble?.close()
})

describe.each(others)('a rolling migration from three servers of %s', (other) => {
  it('there and back keeps every acknowledged write and every session', async () => {
    ensemble = await Ensemble.create({
      kinds: [other, other, other],
      jvmFlags: extendedTypesFlag,
    })
    reportOnFailure(ensemble)
    await ensemble.start()
    load = await CheckedLoad.start({ ports: ensemble.ports, timeoutMs: 20_000, thinkMs: 10 })
    for (const kind of [subject, other]) {
      for (const { sid } of ensemble.members) {
        await load.progress(WRITES_BETWEEN)
        await exchange(ensemble, sid, kind)
        console.log(`${sid} is now ${kind}; ${(await ensemble.untilLeader()).name} leads`)
      }
      // All of one kind: the last that was exchanged had led, so everybody has led by now.
      await load.progress(WRITES_BETWEEN)
    }
    // Sync and read are no barrier while a leader of Apache's leads.
    const problems = await load.finish(ensemble.ports, false)
    console.log(`${other} to ${subject} and back:`, load.summary)
    expect(problems.join('\n')).toBe('')
    expect(load.summary.sessionsLost).toBe(0)
    await expectEqualStates(ensemble)
    await expectNoMismatch(ensemble)
  })
})

async function exchange(ensemble: Ensemble, sid: number, kind: ServerKind): Promise<void> {
  const member = ensemble.member(sid)
  await member.stop('SIGTERM')
  member.kind = kind
  await member.start()
  await ensemble.untilRoles()
}
