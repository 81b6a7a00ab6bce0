import type { JuteReader } from 'jute-ts'
import {
  readCreateResponse,
  readGetChildrenResponse,
  readGetDataResponse,
  readMultiHeader,
  readStat,
  readWatcherEvent,
  type Stat,
} from '../../src/data/records.ts'
import type { Reply } from './memory-server.ts'

/** A part of the reply to a multi or multiRead; `body` is what its type promises. */
export interface Part {
  readonly type: number
  readonly err: number
  readonly path?: string
  readonly stat?: Stat
  readonly data?: string | undefined
  readonly children?: readonly string[]
}

/** The parts of a multi's reply; throws unless it ends exactly with the end mark. */
export function partsOf(reply: Reply): readonly Part[] {
  const parts: Part[] = []
  const r = reply.body
  for (;;) {
    const { type, done, err } = readMultiHeader(r)
    if (!r.ok) throw new Error('the reply to a multi does not decode')
    if (done) break
    parts.push({ type, err, ...bodyOf(r, type) })
  }
  if (r.remaining > 0) throw new Error(`${r.remaining} bytes behind the end of a multi`)
  return parts
}

function bodyOf(r: JuteReader, type: number): Partial<Part> {
  switch (type) {
    case 1:
      return readCreateResponse(r)
    case 15:
      return { path: r.readString(), stat: readStat(r) }
    case 5:
      return { stat: readStat(r) }
    case 4: {
      const { data, stat } = readGetDataResponse(r)
      return { data: data?.toString(), stat }
    }
    case 8:
      return readGetChildrenResponse(r)
    case -1:
      r.readInt()
      return {}
    default:
      return {}
  }
}

const eventNames = ['', 'created', 'deleted', 'dataChanged', 'childrenChanged']

/** What has come, in order: events as `changed /path`, replies as their xid. */
export function storyOf(replies: readonly Reply[]): readonly (string | number)[] {
  return replies.map((reply) => {
    if (reply.xid !== -1) return reply.xid
    const { type, path } = readWatcherEvent(reply.body)
    return `${eventNames[type]} ${path}`
  })
}

/** The events alone. */
export function eventsOf(replies: readonly Reply[]): readonly (string | number)[] {
  return storyOf(replies.filter((reply) => reply.xid === -1))
}
