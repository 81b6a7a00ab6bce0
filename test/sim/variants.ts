import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { copyWith, type Patch } from './plants.ts'

/** Sources that differ in a constant only, so that runs of seconds reach what takes weeks. No bug. */
export interface Variant {
  readonly name: string
  readonly story: string
  readonly patches: readonly Patch[]
}

export const variants: readonly Variant[] = [
  {
    name: 'short-epochs',
    story: 'the counter of an epoch is used up by some forty txns',
    patches: [
      {
        file: 'src/server/writes/write-path.ts',
        from: 'const COUNTER_LAST = 0xff00_0000',
        to: 'const COUNTER_LAST = 40',
      },
    ],
  },
]

/** Runs this simulator over a copy of the sources that is so. 0: it has found nothing. */
export function runVariant(
  { name, patches }: Variant,
  root: string,
  seeds: number,
  from: number,
): number {
  const copy = copyWith({ name, patches }, root)
  const args = ['tsx', '--conditions=source', join(copy, 'test/sim/main.ts')]
  const options = ['--seeds', String(seeds), '--from', String(from)]
  const { status } = spawnSync('npx', [...args, ...options], { cwd: root, stdio: 'inherit' })
  return status ?? 1
}
