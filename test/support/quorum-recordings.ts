import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The recordings of test/golden/quorum: what real servers said to each other, seen by a proxy. */
const folder = join(import.meta.dirname, '..', 'golden', 'quorum')

export type RecordedDirection = 'c2s' | 's2c'

/** One connection between a learner and its leader. */
export interface RecordedLink {
  readonly conn: number
  /** `L:1>2`: learner 1, leader 2. */
  readonly link: string
  /** Chunks as they came; c2s is from the learner. */
  readonly chunks: readonly { readonly dir: RecordedDirection; readonly bytes: Buffer }[]
}

interface Line {
  readonly conn?: number
  readonly link?: string
  readonly dir?: RecordedDirection
  readonly hex?: string
}

/** `run1-learner`, ... */
export const learnerRecordings: readonly string[] = readdirSync(folder)
  .filter((name) => name.endsWith('-learner.jsonl'))
  .map((name) => name.slice(0, -'.jsonl'.length))
  .sort()

/** By connection, in the order in which they were opened. */
export function readLearnerRecording(name: string): readonly RecordedLink[] {
  const links = new Map<number, { link: string; chunks: RecordedLink['chunks'][number][] }>()
  for (const text of readFileSync(join(folder, `${name}.jsonl`), 'utf8').split('\n')) {
    if (text === '') continue
    const line: Line = JSON.parse(text)
    if (line.conn === undefined) continue
    const link = links.get(line.conn) ?? { link: line.link ?? '', chunks: [] }
    links.set(line.conn, link)
    if (line.dir === undefined || line.hex === undefined) continue
    link.chunks.push({ dir: line.dir, bytes: Buffer.from(line.hex, 'hex') })
  }
  return [...links].map(([conn, { link, chunks }]) => ({ conn, link, chunks }))
}

/** All that one side said on that link. */
export const bytesOf = (link: RecordedLink, dir: RecordedDirection): Buffer =>
  Buffer.concat(link.chunks.flatMap((chunk) => (chunk.dir === dir ? [chunk.bytes] : [])))
