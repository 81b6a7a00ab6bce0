import { expect, onTestFailed } from 'vitest'
import type { Ensemble } from './ensemble.ts'
import { type NodeText, stateOf } from './random-tree.ts'

/** What tests expect of an ensemble; apart from it, since benchmarks run ensembles without vitest. */

/**
 * All running members show clients the same nodes, which it resolves with. The node of the
 * configuration is left out: members behind proxies have addresses of their own for each other.
 */
export async function expectEqualStates(
  ensemble: Ensemble,
): Promise<ReadonlyMap<string, NodeText>> {
  await ensemble.untilEqualZxid()
  const states = await Promise.all(ensemble.running.map((member) => stateOf(member.port)))
  for (const state of states) state.delete('/zookeeper/config')
  const [first = new Map<string, NodeText>()] = states
  for (const state of states) expect([...state].sort()).toEqual([...first].sort())
  return first
}

/** No running member has found that its digest is not the leader's, or not that of its files. */
export async function expectNoMismatch(ensemble: Ensemble): Promise<void> {
  for (const member of ensemble.running) {
    const count = await member.metric('zk_digest_mismatches_count')
    expect([member.name, count]).toEqual([member.name, 0])
    expect(member.log()).not.toMatch(/digest (differs|mismatch)|Digests are not matching/i)
  }
}

/** When the running test fails, prints what each member said last. */
export function reportOnFailure(ensemble: Ensemble): void {
  onTestFailed(() => {
    for (const member of ensemble.members)
      console.log(`${member.name} said last:\n${member.logTail(8000)}`)
  })
}
