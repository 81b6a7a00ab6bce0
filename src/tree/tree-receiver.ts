import type { DataTree } from './data-tree.ts'
import type { LoadedTree } from './snapshot-codec.ts'
export class TreeReceiver {
  readonly loaded: LoadedTree = { sessions: new Map(), zxidMax: 0 }
  constructor(_tree: DataTree) {}
  push(_bytes: Buffer): 'more' | number | { problem: string } {
    return 'more'
  }
}
