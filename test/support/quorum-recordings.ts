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
  readonly event?: string
  readonly t_ms?: number
}

export type RecordedEvent = {
  readonly conn: number
  readonly link: string
  readonly atMs: number
} & (
  | { readonly kind: 'open' | 'eof' }
  | { readonly kind: 'chunk'; readonly dir: RecordedDirection; readonly bytes: Buffer }
)

/** `run1-learner`, ... */
export const learnerRecordings: readonly string[] = readdirSync(folder)
  .filter((name) => name.endsWith('-learner.jsonl'))
  .map((name) => name.slice(0, -'.jsonl'.length))
  .sort()

/** In the order in which the proxy saw them; eof of the side that ended first. */
export function readRecordedEvents(name: string): readonly RecordedEvent[] {
  const events: RecordedEvent[] = []
  const ended = new Set<number>()
  for (const text of readFileSync(join(folder, `${name}.jsonl`), 'utf8').split('\n')) {
    if (text === '') continue
    const { conn, link = '', t_ms: atMs = 0, dir, hex, event }: Line = JSON.parse(text)
    if (conn === undefined) continue
    if (event === 'open') events.push({ kind: 'open', conn, link, atMs })
    else if (event === 'eof' && !ended.has(conn)) {
      ended.add(conn)
      events.push({ kind: 'eof', conn, link, atMs })
    } else if (dir !== undefined && hex !== undefined)
      events.push({ kind: 'chunk', conn, link, atMs, dir, bytes: Buffer.from(hex, 'hex') })
  }
  return events
}

/** By connection, in the order in which they were opened. */
export function readLearnerRecording(name: string): readonly RecordedLink[] {
  const links = new Map<number, { link: string; chunks: RecordedLink['chunks'][number][] }>()
  for (const event of readRecordedEvents(name)) {
    const link = links.get(event.conn) ?? { link: event.link, chunks: [] }
    links.set(event.conn, link)
    if (event.kind === 'chunk') link.chunks.push({ dir: event.dir, bytes: event.bytes })
  }
  return [...links].map(([conn, { link, chunks }]) => ({ conn, link, chunks }))
}

/** All that one side said on that link. */
export const bytesOf = (link: RecordedLink, dir: RecordedDirection): Buffer =>
  Buffer.concat(link.chunks.flatMap((chunk) => (chunk.dir === dir ? [chunk.bytes] : [])))
