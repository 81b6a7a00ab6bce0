/** How long nobody can write when the leader crashes, or is stopped, beside the original's servers. */
import { expect, it } from 'vitest'
import { type End, type Failover, measureFailover, type Placement } from '../../bench/failover.ts'
import { median } from '../../bench/report.ts'
import { defaultKind, type ServerKind } from '../harness/server.ts'

const subject = defaultKind()
const judge = 'apache-3.8'
const placements: readonly Placement[] = ['on a follower', 'on the leader']
const KILLS_EACH = 5
const STOPS_EACH = 2
/** A planned restart of our leader costs clients less than that. */
const HAND_OVER_MS = 1000

const gaps = (failovers: readonly Failover[], placement?: Placement): number[] =>
  failovers
    .filter((failover) => placement === undefined || failover.placement === placement)
    .map((failover) => Math.round(failover.gapMs))

async function measure(kind: ServerKind, each: number, end: End): Promise<Failover[]> {
  // Alternating, so that whatever drifts on this machine falls on both.
  const plan = Array.from({ length: each }, () => placements).flat()
  const failovers = await measureFailover(kind, plan, end, () => {})
  for (const placement of placements) {
    const found = gaps(failovers, placement)
    console.log(`${kind}, ${end}, writer ${placement}: ${median(found)} ms of ${found.join(' ')}`)
  }
  return failovers
}

it('after kill -9 of the leader writes go on in half the time at most', async () => {
  const theirs = median(gaps(await measure(judge, KILLS_EACH, 'SIGKILL')))
  const ours = median(gaps(await measure(subject, KILLS_EACH, 'SIGKILL')))
  console.log(`longest gap between acknowledged writes: ${subject} ${ours}, ${judge} ${theirs} ms`)
  if (subject === 'zk-server') expect(ours).toBeLessThanOrEqual(theirs / 2)
})

it('a leader that is stopped hands over in less than a second', async () => {
  const worst = Math.max(...gaps(await measure(subject, STOPS_EACH, 'SIGTERM')))
  if (subject === 'zk-server') expect(worst).toBeLessThan(HAND_OVER_MS)
})
