import { decodeSnapshot } from '../../src/persistence/snapshot-format.ts'
import { openSnapshot } from '../../src/persistence/snapshot-source.ts'
import type { LoadedSnapshot } from '../../src/tools/snapshot-dump.ts'
import { DataTree } from '../../src/tree/data-tree.ts'
import { goldenDisk } from './memory-disk.ts'

/** A recorded snapshot, in memory. */
export function loadSnapshot(folder: string, name: string): LoadedSnapshot {
  const disk = goldenDisk(folder)
  const file = disk.listSnapshots().find((one) => one.name === name)
  if (file === undefined) throw new Error(`no snapshot ${name}`)
  const tree = new DataTree({ extendedTypesEnabled: true, emulate353TtlNodes: false }, false)
  const content = decodeSnapshot(openSnapshot(disk, file), tree)
  if (typeof content === 'string') throw new Error(content)
  return { name, zxid: file.zxid, tree, content }
}
