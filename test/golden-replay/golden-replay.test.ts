import { describe, expect, it } from 'vitest'
import { readScenario, scenarioNames } from '../support/golden-wire.ts'
import { MemoryServer } from '../support/memory-server.ts'
import { listedDifferences } from './differences.ts'
import { GoldenReplay, type Played } from './replay.ts'
import {
  inSequence,
  onItsOwn,
  outOfScope,
  ownServerStartWall,
  recordedSettings,
  serverStartWall,
  unrecordedSteps,
} from './replay-recorded.ts'

/** Scenarios build on what those before them left, so all of a server are played in one go. */
function playAll(wall: number, list: typeof inSequence): [name: string, played: Played][] {
  const server = new MemoryServer({ settings: recordedSettings, wall })
  const replay = new GoldenReplay(server, unrecordedSteps)
  return list.map(([name, startWall]) => [name, replay.play(readScenario(name), startWall)])
}

const played = new Map([
  ...playAll(serverStartWall, inSequence),
  ...playAll(ownServerStartWall, onItsOwn),
])

const total = (of: (one: Played) => number): number =>
  [...played.values()].reduce((sum, one) => sum + of(one), 0)

describe('recorded clients get the recorded replies, but for the listed differences', () => {
  it.each([...played])('%s', (name, { differences }) => {
    const listed = listedDifferences
      .filter(({ scenario }) => scenario === name)
      .map(({ at, recorded, ours }) => ({ at, recorded, ours }))
    expect(differences).toEqual(listed)
  })

  it('in every scenario that is not out of scope', () => {
    expect([...played.keys(), ...outOfScope.keys()].sort()).toEqual(scenarioNames)
    const known = new Set(played.keys())
    expect(listedDifferences.filter(({ scenario }) => !known.has(scenario))).toEqual([])
    expect(unrecordedSteps.filter(({ scenario }) => !known.has(scenario))).toEqual([])
  })

  it('and the counts are told', () => {
    const counts = {
      scenarios: played.size,
      outOfScope: outOfScope.size,
      frames: total((one) => one.frames),
      equal: total((one) => one.equal),
      listedDifferences: listedDifferences.length,
      eventsWithZxid: total((one) => one.eventsWithZxid),
    }
    console.log(`golden replay: ${JSON.stringify(counts)}`)
    expect(counts).toEqual({
      scenarios: 23,
      outOfScope: 3,
      frames: 610,
      equal: 598,
      listedDifferences: 19,
      eventsWithZxid: 77,
    })
  })
})
