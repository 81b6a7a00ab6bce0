import { fullVersion } from './environment-text.ts'
import type { CnxnView, ServerView } from './server-view.ts'
import { hexOfLong, type TextWriter } from './text-writer.ts'

const NO_SESSION = 0n

/** `stat` is `srvr` with the connections in between. */
export function writeStat(view: ServerView, out: TextWriter, withClients: boolean): void {
  const { stats, quorum } = view
  out.line(`Zookeeper version: ${fullVersion(view)}`)
  if (view.mode === 'read-only') out.line('READ-ONLY mode; serving only read-only clients')
  if (withClients) {
    out.line('Clients:')
    for (const cnxn of view.cnxns) out.line(cnxnLine(cnxn, 'brief'))
    out.line('')
  }
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
  }
}

export function writeConnections(view: ServerView, out: TextWriter): void {
  for (const cnxn of view.cnxns) out.line(cnxnLine(cnxn, 'full'))
  out.line('')
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
