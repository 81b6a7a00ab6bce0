import { it } from 'vitest'
import { readScenario } from '/work/main/test/support/golden-wire.ts'
import { MemoryServer } from '/work/main/test/support/memory-server.ts'
import { GoldenReplay } from '/work/main/test/golden-replay/replay.ts'
import { inSequence, onItsOwn, ownServerStartWall, recordedSettings, serverStartWall, unrecordedSteps } from '/work/main/test/golden-replay/replay-recorded.ts'
it('x', () => {
  for (const [wall, list] of [[serverStartWall, inSequence], [ownServerStartWall, onItsOwn]] as const) {
    const server = new MemoryServer({ settings: recordedSettings, wall })
    const replay = new GoldenReplay(server, unrecordedSteps)
    for (const [name, start] of list) {
      const { differences, ...r } = replay.play(readScenario(name), start)
      console.log(name, JSON.stringify(r))
      for (const d of differences) console.log(`   ${d.at}\n      recorded ${d.recorded}\n      ours     ${d.ours}`)
    }
  }
})
