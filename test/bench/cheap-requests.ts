import type { CheapRequest, CheapRequestRow } from './cheap/cheap-request.ts'
import { historyRows } from './cheap/history-rows.ts'
import { loopRows } from './cheap/loop-rows.ts'
import { sessionRows } from './cheap/session-rows.ts'
import { watchRows } from './cheap/watch-rows.ts'
import { wordRows } from './cheap/word-rows.ts'

/**
 * Requests that cost their sender next to nothing, each with the longest turn of the server that it
 * causes: for so long nobody else is served.
 *
 *     npx tsx --conditions=source test/bench/cheap-requests.ts [part of a name]
 */
const rows: readonly (readonly [name: string, row: CheapRequestRow])[] = [
  ...loopRows,
  ...watchRows,
  ...wordRows,
  ...historyRows,
  ...sessionRows,
]

const TURN_MS_MAX = 20
const RUNS = 6
const RUNS_MS = 6000
const wanted = process.argv[2] ?? ''

function lineOf({ name, sentBytes, longestTurnMs, outcome }: CheapRequest): string {
  const mark = longestTurnMs > TURN_MS_MAX ? ' !' : ''
  return `| ${name} | ${sentBytes} | ${longestTurnMs.toFixed(1)}${mark} | ${outcome ?? ''} |`
}

/**
 * A server that runs has been compiled by its engine, and shares its processors with nobody: the best of
 * some runs, each on a server of its own, comes closest to that.
 */
async function bestOf(row: CheapRequestRow): Promise<CheapRequest> {
  const began = performance.now()
  let best = await row()
  for (let run = 1; run < RUNS && performance.now() - began < RUNS_MS; run += 1) {
    const next = await row()
    if (next.longestTurnMs < best.longestTurnMs) best = next
  }
  return best
}

console.log(`\n| request | bytes sent | longest turn, ms | |\n| --- | ---: | ---: | --- |`)
let slow = 0
for (const [name, row] of rows) {
  if (!name.includes(wanted)) continue
  const result = await bestOf(row)
  if (result.longestTurnMs > TURN_MS_MAX) slow += 1
  console.log(lineOf(result))
}
console.log(slow === 0 ? '\nAll within 20 ms.' : `\n${slow} beyond 20 ms.`)
process.exitCode = slow === 0 ? 0 : 1
