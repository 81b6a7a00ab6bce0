import { describe, expect, it } from 'vitest'
import { type LoadRules, loadMember } from '../../../../src/server/storage/load.ts'
import { goldenDisk, MemoryDisk } from '../../../support/memory-disk.ts'
import { silentLogger } from '../../../support/silent-logger.ts'
import { treeText } from '../../../support/tree-text.ts'

const rules: LoadRules = {
  extendedTypesEnabled: true,
  emulate353TtlNodes: false,
  digestEnabled: true,
  snapshotTrustEmpty: false,
  mayCreate: true,
}

/** The state as text, or `refused`. */
function outcome(disk: MemoryDisk): string {
  const loaded = loadMember(disk, rules, silentLogger)
  if (loaded.kind === 'refused') return 'refused'
  return `${loaded.lastZxid}\n${[...loaded.sessions].join('\n')}\n${treeText(loaded.tree)}`
}

/** `file` with the byte at `at` changed, beside the others. */
function damaged(files: ReadonlyMap<string, Buffer>, file: string, at: number): MemoryDisk {
  const bytes = Buffer.from(files.get(file) ?? [])
  bytes[at] = (bytes[at] ?? 0) ^ 0x21
  return new MemoryDisk(Object.fromEntries([...files, [file, bytes]]))
}

function logContentBytes(bytes: Buffer): number {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end -= 1
  return end
}

/** Every byte is one load more: half a minute of computing, and several on a busy machine. */
const TIMEOUT_MS = 300_000
const folders = ['datadir-standalone', 'datadir-gz', 'datadir-snappy']

describe.each(folders)('%s', { timeout: TIMEOUT_MS }, (folder) => {
  const { files } = goldenDisk(folder)
  const whole = outcome(new MemoryDisk(Object.fromEntries(files)))
  const snapshot = [...files.keys()].filter((name) => name.startsWith('snapshot.')).at(-1) ?? ''
  const log = [...files.keys()].filter((name) => name.startsWith('log.')).at(-1) ?? ''

  it('with any byte of its newest snapshot changed loads to the same by way of an older one', () => {
    const bytes = files.get(snapshot)?.length ?? 0
    expect(bytes).toBeGreaterThan(1000)
    for (let at = 0; at < bytes; at += 1)
      expect(outcome(damaged(files, snapshot, at)) === whole, `byte ${at}`).toBe(true)
  })

  it('with any byte of its newest log changed is refused, or loads to the same', () => {
    const bytes = files.get(log) ?? Buffer.alloc(0)
    const content = logContentBytes(bytes)
    expect(content).toBeGreaterThan(500)
    for (let at = 0; at < content + 20; at += 1) {
      const found = outcome(damaged(files, log, at))
      expect(found === 'refused' || found === whole, `byte ${at}`).toBe(true)
    }
  })

  it('with its newest snapshot cut anywhere loads to the same', () => {
    const bytes = files.get(snapshot) ?? Buffer.alloc(0)
    for (let end = 0; end < bytes.length; end += 7) {
      const cut = new MemoryDisk(Object.fromEntries([...files, [snapshot, bytes.subarray(0, end)]]))
      expect(outcome(cut) === whole, `cut at ${end}`).toBe(true)
    }
  })
})
