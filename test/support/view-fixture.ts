import { readFileSync } from 'node:fs'
import type {
  CnxnView,
  ServerView,
  SessionsView,
  WatchesView,
} from '../../src/admin/server-view.ts'
import { makeServerMetrics } from '../../src/server/stats/server-metrics.ts'
import { CnxnStats, ServerStats } from '../../src/server/stats/server-stats.ts'

/** An answer recorded from Apache ZooKeeper 3.8.0 (Debian). */
export function golden(name: string): string {
  return readFileSync(new URL(`../golden/4lw/${name}.txt`, import.meta.url), 'latin1')
}

export const noWatches: WatchesView = {
  watcherCount: 0,
  pathCount: 0,
  watchCount: 0,
  byPath: () => [],
  byWatcher: () => [],
}

export const noSessions: SessionsView = {
  ownsDeadlines: true,
  localSessionsEnabled: false,
  global: [],
  globalCount: 0,
  local: [],
  localCount: 0,
}

export type TestView = { -readonly [K in keyof ServerView]: ServerView[K] }

/** An empty standalone server, as the recorded one was set up, with `changes` made to it. */
export function makeView(changes: Partial<ServerView> = {}): TestView {
  return {
    version: '3.8.0-$' + '{mvngit.commit.id}',
    builtOn: '2024-12-29 17:54 UTC',
    isServing: true,
    mode: 'standalone',
    clock: { mono: 0, wall: 0 },
    startedMono: 0,
    stats: new ServerStats(),
    metrics: makeServerMetrics(),
    host: {
      dataDirBytes: 66009,
      logDirBytes: 66009,
      openFileDescriptors: 46,
      maxFileDescriptors: 20000,
      environment: new Map(),
    },
    settings: {
      clientPort: 31301,
      secureClientPort: -1,
      dataDir: '<BASE>/data/version-2',
      dataLogDir: '<BASE>/data/version-2',
      tickTimeMs: 2000,
      maxClientCnxns: 60,
      minSessionTimeoutMs: 4000,
      maxSessionTimeoutMs: 40000,
      clientPortListenBacklog: -1,
      serverId: 0,
    },
    cnxns: [],
    cnxnCount: 1,
    outstandingRequests: 0,
    lastProcessedZxid: 0,
    sessions: noSessions,
    ephemerals: [],
    ephemeralCount: 0,
    nodeCount: 5,
    approximateDataBytes: 44,
    watchCount: 0,
    dataWatches: noWatches,
    digestLog: [],
    traceMask: 306n,
    quotas: [],
    quorum: undefined,
    ...changes,
  }
}

export interface TestCnxn {
  readonly port: number
  readonly sessionId?: bigint
  readonly sessionTimeoutMs?: number
  readonly establishedWall?: number
  readonly expiresMono?: number
  readonly stats?: CnxnStats
}

/** By default the connection that asks the four-letter word: nothing read from it any more. */
export function makeCnxn(cnxn: TestCnxn): CnxnView {
  const stats = cnxn.stats ?? new CnxnStats()
  if (cnxn.stats === undefined) stats.packetsReceived = 1
  return {
    remoteAddress: `/127.0.0.1:${cnxn.port}`,
    interestOps: cnxn.sessionId === undefined ? 0 : 1,
    outstandingRequests: 0,
    sessionId: cnxn.sessionId ?? 0n,
    sessionTimeoutMs: cnxn.sessionTimeoutMs ?? 0,
    establishedWall: cnxn.establishedWall ?? 0,
    expiresMono: cnxn.expiresMono ?? 0,
    stats,
  }
}

/** The replies are made up so that last, min, average and max come out as given by the caller. */
export function makeStats(packets: {
  readonly received: number
  readonly sent: number
  readonly lastOp: string
  readonly cxid: number
  readonly zxid: number
  readonly lastResponseMono: number
  readonly latenciesMs: readonly number[]
}): CnxnStats {
  const stats = new CnxnStats()
  stats.packetsReceived = packets.received
  stats.packetsSent = packets.sent
  const now = packets.lastResponseMono
  for (const latencyMs of packets.latenciesMs) {
    stats.onReply('CREA', packets.cxid, packets.zxid, now - latencyMs, now)
  }
  const last = packets.latenciesMs.at(-1) ?? 0
  // Its negative xid must leave the last cxid alone.
  stats.onReply(packets.lastOp, -2, packets.zxid, now - last, now)
  return stats
}

/** Server-wide figures of `srvr`: `count` requests that took `sumMs` together. */
export function makeServerStats(figures: {
  readonly received: number
  readonly sent: number
  readonly minMs: number
  readonly maxMs: number
  readonly count: number
  readonly sumMs: number
}): ServerStats {
  const stats = new ServerStats()
  stats.packetsReceived = figures.received
  stats.packetsSent = figures.sent
  for (const ms of spread(figures)) stats.latencyMs.add(ms)
  return stats
}

/** `count` whole numbers from `min` to `max` that add up to `sum`. */
export function spread(figures: {
  readonly minMs: number
  readonly maxMs: number
  readonly count: number
  readonly sumMs: number
}): readonly number[] {
  const { minMs, maxMs, count, sumMs } = figures
  if (count === 0) return []
  if (count === 1) return [sumMs]
  const values: number[] = new Array(count).fill(minMs)
  values[count - 1] = maxMs
  let rest = sumMs - maxMs - minMs * (count - 1)
  for (let i = count - 2; i > 0 && rest > 0; i -= 1) {
    const more = Math.min(rest, maxMs - minMs)
    values[i] = minMs + more
    rest -= more
  }
  if (rest !== 0) throw new Error(`no ${count} values from ${minMs} to ${maxMs} sum to ${sumMs}`)
  return values
}
