import { readFileSync } from 'node:fs'

/**
 * Prints the functions with the most self time of a .cpuprofile.
 * Arguments: one or more profiles; `--top N` for more or fewer than 30 lines; `--from MS` leaves out the
 * beginning, which is the start of the server.
 */

interface ProfileNode {
  readonly id: number
  readonly callFrame: {
    readonly functionName: string
    readonly url: string
    readonly lineNumber: number
  }
}

/** The parts of V8's format that are used; times in microseconds. */
interface Profile {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** Microseconds of self time by function after the first `fromUs`, idle time apart. */
function selfTimes(
  profile: Profile,
  fromUs: number,
): { readonly byFunction: ReadonlyMap<string, number>; readonly idleUs: number } {
  const names = new Map(profile.nodes.map((node) => [node.id, nameOf(node)]))
  const byFunction = new Map<string, number>()
  let idleUs = 0
  let elapsedUs = 0
  for (const [index, id] of profile.samples.entries()) {
    const name = names.get(id) ?? '(unknown)'
    const us = profile.timeDeltas[index] ?? 0
    elapsedUs += us
    if (elapsedUs < fromUs) continue
    if (name === '(idle)') idleUs += us
    else byFunction.set(name, (byFunction.get(name) ?? 0) + us)
  }
  return { byFunction, idleUs }
}

function nameOf({ callFrame }: ProfileNode): string {
  const { functionName, url, lineNumber } = callFrame
  if (url === '') return functionName === '' ? '(native)' : functionName
  const place = url.replace(/^.*\/(node_modules|src|dist)\//, '$1/')
  return `${functionName === '' ? '(anonymous)' : functionName}  ${place}:${lineNumber + 1}`
}

function print(path: string, top: number, fromMs: number): void {
  const profile: Profile = JSON.parse(readFileSync(path, 'utf8'))
  const { byFunction, idleUs } = selfTimes(profile, fromMs * 1000)
  const busyUs = [...byFunction.values()].reduce((sum, us) => sum + us, 0)
  process.stdout.write(
    `${path}: ${(busyUs / 1e6).toFixed(1)} s busy, ${(idleUs / 1e6).toFixed(1)} s idle\n`,
  )
  const sorted = [...byFunction].sort((a, b) => b[1] - a[1]).slice(0, top)
  for (const [name, us] of sorted)
    process.stdout.write(
      `${((us / busyUs) * 100).toFixed(1).padStart(5)} % ${(us / 1000).toFixed(0).padStart(7)} ms  ${name}\n`,
    )
}

const args = process.argv.slice(2)

/** Takes `--name N` out of the arguments. */
function option(name: string, otherwise: number): number {
  const at = args.indexOf(name)
  return at === -1 ? otherwise : Number(args.splice(at, 2)[1])
}

const top = option('--top', 30)
const fromMs = option('--from', 0)
for (const path of args) print(path, top, fromMs)
