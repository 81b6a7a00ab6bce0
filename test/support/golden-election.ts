import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatZxid } from '../../src/data/zxid.ts'
import { decodeNotification } from '../../src/quorum/election/notification.ts'
import { decodeOpening } from '../../src/quorum/wire/opening-message.ts'

const folder = join(import.meta.dirname, '../golden/quorum')

export const electionRuns: readonly string[] = [
  'run1',
  'run2',
  'run3-fake-peers',
  'run4-fake-leader',
]

/** One direction of one recorded connection: what its opener said first, and the messages. */
export interface ElectionStream {
  readonly conn: number
  /** Of the connection: `2>1` from 2 to 1. */
  readonly link: string
  /** 'c2s': of the side that has opened it. */
  readonly dir: 'c2s' | 's2c'
  readonly opening: Buffer | undefined
  /** Payloads without their length. */
  readonly messages: readonly Buffer[]
}

const LENGTH_BYTES = 4
const V1_BYTES = 40

/** The streams of a recording, in the order in which they began. */
export function readElectionRun(run: string): readonly ElectionStream[] {
  const chunks = new Map<string, { link: string; parts: Buffer[] }>()
  for (const line of readFileSync(join(folder, `${run}-election.jsonl`), 'utf8').split('\n')) {
    if (line === '') continue
    const event: unknown = JSON.parse(line)
    const { conn, dir, hex, link } = Object(event)
    if (typeof hex !== 'string') continue
    const key = `${conn} ${dir}`
    const stream = chunks.get(key) ?? { link: String(link), parts: [] }
    stream.parts.push(Buffer.from(hex, 'hex'))
    chunks.set(key, stream)
  }
  return [...chunks].map(([key, { link, parts }]) => {
    const [conn, dir] = key.split(' ')
    return streamOf(Number(conn), link.replace('E:', ''), dir === 'c2s', Buffer.concat(parts))
  })
}

/** The one stream of that connection in that direction. */
export function streamIn(
  streams: readonly ElectionStream[],
  conn: number,
  dir: 'c2s' | 's2c',
): ElectionStream {
  const found = streams.find((stream) => stream.conn === conn && stream.dir === dir)
  if (found === undefined) throw new Error(`no stream ${conn} ${dir}`)
  return found
}

/** As it goes over the wire. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeInt32BE(message.length)
  return Buffer.concat([length, message])
}

/** The messages of a run as the independent decoder has written them, without time and config. */
export function readElectionTexts(run: string): readonly string[] {
  const text = readFileSync(join(folder, `${run}-election.txt`), 'utf8')
  const lines = text.split('\n').filter((line) => /INIT|NOTIFICATION/.test(line))
  return lines.map((line) => line.replace(/^ *[0-9]+ /, '').replace(/ config\[.*$/, ''))
}

/** What we make of the same bytes, in the same words. */
export function textsOf(stream: ElectionStream): readonly string[] {
  const arrow = stream.dir === 'c2s' ? '>' : '<'
  const head = `#${stream.conn} E:${stream.link} ${arrow}`
  const opening = stream.opening === undefined ? [] : [`${head} ${openingText(stream.opening)}`]
  return [...opening, ...stream.messages.map((bytes) => `${head} ${notificationText(bytes)}`)]
}

function openingText(bytes: Buffer): string {
  const opening = decodeOpening(bytes)
  if (opening === undefined || typeof opening === 'string') return `INIT ${opening}`
  const version = bytes.readBigInt64BE()
  const address = opening.addresses.map(({ host, port }) => `${host}:${port}`).join('|')
  return `INIT protocolVersion=${version} sid=${opening.sid} addr='${address}'`
}

function notificationText(bytes: Buffer): string {
  const head = `NOTIFICATION len=${bytes.length}`
  const notification = decodeNotification(bytes)
  if (typeof notification === 'string') return `${head} (${notification})`
  const { state, vote, round } = notification
  const hex = (value: number): string => formatZxid(value)
  const leader = vote === undefined ? 'MIN' : String(vote.leader)
  const zxid = vote === undefined ? 'MIN' : hex(vote.zxid)
  const voted = `state=${state.toUpperCase()} leader=${leader} zxid=${zxid} round=${hex(round)}`
  // The other decoder prints what stands in the message, not what is to be read into it.
  if (bytes.length < V1_BYTES) return `${head} ${voted}`
  const epoch = vote === undefined ? 'MIN' : hex(vote.peerEpoch)
  return `${head} ${voted} peerEpoch=${epoch} version=${bytes.readInt32BE(V1_BYTES - 4)}`
}

function streamOf(conn: number, link: string, isOpener: boolean, bytes: Buffer): ElectionStream {
  let at = 0
  if (isOpener) {
    const opening = decodeOpening(bytes)
    if (opening === undefined || typeof opening === 'string') throw new Error(String(opening))
    at = opening.bytes
  }
  const opening = isOpener ? bytes.subarray(0, at) : undefined
  const messages: Buffer[] = []
  while (at < bytes.length) {
    const end = at + LENGTH_BYTES + bytes.readInt32BE(at)
    messages.push(bytes.subarray(at + LENGTH_BYTES, end))
    at = end
  }
  return { conn, link, dir: isOpener ? 'c2s' : 's2c', opening, messages }
}
