import { fullVersion } from './environment-text.ts'
import type { CnxnView, ServerView } from './server-view.ts'
import { hexOfLong, TextWriter } from './text-writer.ts'

const NO_SESSION = 0n

export function writeServer(view: ServerView, out: TextWriter): void {
  writeVersion(view, out)
  writeFigures(view, out)
}

/** `stat` is `srvr` with the connections in between. */
export function* statText(view: ServerView): Iterable<string> {
  const head = new TextWriter()
  writeVersion(view, head)
  yield `${head.text}Clients:\n`
  for (const cnxn of view.cnxns) yield `${cnxnLine(cnxn, 'brief')}\n`
  const figures = new TextWriter()
  writeFigures(view, figures)
  yield `\n${figures.text}`
}

export function* connectionsText(view: ServerView): Iterable<string> {
  for (const cnxn of view.cnxns) yield `${cnxnLine(cnxn, 'full')}\n`
  yield '\n'
}

function writeVersion(view: ServerView, out: TextWriter): void {
  out.line(`Zookeeper version: ${fullVersion(view)}`)
  if (view.mode === 'read-only') out.line('READ-ONLY mode; serving only read-only clients')
}

function writeFigures(view: ServerView, out: TextWriter): void {
  const { stats, quorum } = view
  const { min, averageText, max } = stats.latencyMs
  out.line(`Latency min/avg/max: ${min}/${averageText}/${max}`)
  out.line(`Received: ${stats.packetsReceived}`)
  out.line(`Sent: ${stats.packetsSent}`)
  out.line(`Connections: ${view.cnxnCount}`)
  out.line(`Outstanding: ${view.outstandingRequests}`)
  out.line(`Zxid: 0x${hexOfLong(view.lastProcessedZxid)}`)
  out.line(`Mode: ${view.mode}`)
  out.line(`Node count: ${view.nodeCount}`)
  if (quorum?.leader !== undefined) {
    const sizes = quorum.leader.proposalSizes
    out.line(`Proposal sizes last/min/max: ${sizes.last}/${sizes.min}/${sizes.max}`)
    // Not a line of the original's, so it is there only when it has something to say.
    const { outsiders } = quorum.leader
    if (outsiders.length > 0) out.line(`Members that stay out: ${outsiders.join(' ')}`)
  }
}

function cnxnLine(cnxn: CnxnView, detail: 'brief' | 'full'): string {
  const { stats } = cnxn
  const packets = `recved=${stats.packetsReceived},sent=${stats.packetsSent}`
  const brief = `queued=${cnxn.outstandingRequests},${packets}`
  const hasMore = detail === 'full' && cnxn.sessionId !== NO_SESSION
  const session = hasMore ? `,${sessionFields(cnxn)}` : ''
  return ` ${cnxn.remoteAddress}[${cnxn.interestOps.toString(16)}](${brief}${session})`
}

function sessionFields(cnxn: CnxnView): string {
  const { stats } = cnxn
  const fields = [
    `sid=0x${hexOfLong(cnxn.sessionId)}`,
    `lop=${stats.lastOp}`,
    `est=${cnxn.establishedWall}`,
    `to=${cnxn.sessionTimeoutMs}`,
    ...(stats.lastCxid < 0 ? [] : [`lcxid=0x${hexOfLong(stats.lastCxid)}`]),
    `lzxid=0x${hexOfLong(stats.lastZxid)}`,
    `lresp=${stats.lastResponseMono}`,
    `llat=${stats.lastLatencyMs}`,
    `minlat=${stats.minLatencyMs}`,
    `avglat=${stats.avgLatencyMs}`,
    `maxlat=${stats.maxLatencyMs}`,
  ]
  return fields.join(',')
}
