import { describe, expect, test } from 'vitest'
import { runFourLetterWord } from '../../../src/admin/four-letter-words.ts'
import type { QuorumView, ServerView } from '../../../src/admin/server-view.ts'
import { AdvancedSummary, Counter, type MetricSet, Summary } from '../../../src/base/metrics.ts'
import { SizeStats } from '../../../src/base/sizes.ts'
import { absentMetrics } from '../../../src/server/stats/absent-metrics.ts'
import { makeServerMetrics, type ServerMetrics } from '../../../src/server/stats/server-metrics.ts'
import { ServerStats } from '../../../src/server/stats/server-stats.ts'
import { golden, makeView, noSessions, spread } from '../../support/view-fixture.ts'

/** Metrics that 3.9 has and 3.8.0, which was recorded, has not (spec 06 §8). */
const SINCE_3_9 = [
  ...['restore_error_count', 'snapshot_error_count'],
  ...['avg', 'min', 'max', 'cnt', 'sum'].map((kind) => `${kind}_restore_time`),
].map((key) => `zk_${key}`)

const PERCENTILES = [
  ['p999', 0.999],
  ['p99', 0.99],
  ['p95', 0.95],
  ['p50', 0.5],
] as const

type Values = ReadonlyMap<string, string>

function valuesOf(text: string): Values {
  const lines = text.split('\n').slice(0, -1)
  return new Map(lines.map((line) => [line.split('\t')[0] ?? '', line.split('\t')[1] ?? '']))
}

function numberOf(values: Values, key: string): number {
  const value = values.get(`zk_${key}`)
  if (value === undefined) throw new Error(`the recording has no ${key}`)
  return Number(value)
}

function figuresOf(values: Values, name: string) {
  return {
    minMs: numberOf(values, `min_${name}`),
    maxMs: numberOf(values, `max_${name}`),
    count: numberOf(values, `cnt_${name}`),
    sumMs: numberOf(values, `sum_${name}`),
  }
}

/** The least and the most that each of some ascending values can be. */
interface Bounds {
  readonly low: readonly number[]
  readonly high: readonly number[]
}

function pinned(bounds: Bounds, at: number, value: number): Bounds {
  return {
    low: bounds.low.map((low, i) => (i < at ? low : Math.max(low, value))),
    high: bounds.high.map((high, i) => (i > at ? high : Math.min(high, value))),
  }
}

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0)

/** Ascending values with the recorded percentiles as well as minimum, maximum and sum. */
function samplesOf(values: Values, name: string): readonly number[] {
  const { minMs, maxMs, count, sumMs } = figuresOf(values, name)
  if (count === 0) return []
  const anywhere = { low: new Array(count).fill(minMs), high: new Array(count).fill(maxMs) }
  const bounds = pinned(pinned(anywhere, 0, minMs), count - 1, maxMs)
  const samples = searchSamples(bounds, [...PERCENTILES], values, name, sumMs)
  if (samples === undefined) throw new Error(`no samples give the recorded ${name}`)
  return samples
}

/** Tries all pairs of neighbours that each percentile can lie between, the highest one first. */
function searchSamples(
  bounds: Bounds,
  percentiles: readonly (readonly [key: string, quantile: number])[],
  values: Values,
  name: string,
  sum: number,
): readonly number[] | undefined {
  const { low, high } = bounds
  if (low.some((value, i) => value > (high[i] ?? 0))) return undefined
  if (total(low) > sum || total(high) < sum) return undefined
  const [first, ...others] = percentiles
  if (first === undefined) return raised(bounds, sum)
  const [key, quantile] = first
  const position = quantile * (low.length + 1)
  const at = Math.min(Math.max(Math.floor(position), 1), low.length) - 1
  const next = Math.min(at + 1, low.length - 1)
  for (let upper = low[next] ?? 0; upper <= (high[next] ?? 0); upper += 1) {
    for (let lower = low[at] ?? 0; lower <= Math.min(upper, high[at] ?? 0); lower += 1) {
      const between = position < 1 ? lower : lower + (position - at - 1) * (upper - lower)
      if (Math.round(between) !== numberOf(values, `${key}_${name}`)) continue
      const narrowed = pinned(pinned(bounds, next, upper), at, lower)
      const samples = searchSamples(narrowed, others, values, name, sum)
      if (samples !== undefined) return samples
    }
  }
  return undefined
}

/** Values within the bounds that have this sum: as high as they may be from the last one down. */
function raised({ low, high }: Bounds, sum: number): readonly number[] {
  let rest = sum - total(low)
  return low
    .map((value, i) => [value, high[i] ?? 0] as const)
    .reverse()
    .map(([least, most]) => {
      const more = Math.min(rest, most - least)
      rest -= more
      return least + more
    })
}

function feedSet(
  set: MetricSet<Summary> | MetricSet<AdvancedSummary>,
  name: string,
  values: Values,
) {
  for (const key of values.keys()) {
    if (!key.startsWith('zk_cnt_') || !key.endsWith(`_${name}`)) continue
    const each = key.slice('zk_cnt_'.length)
    const namespace = each.slice(0, -name.length - 1)
    for (const value of spread(figuresOf(values, each))) set.add(namespace, value)
  }
}

/** The metrics of a server that went through what the recorded one had. */
function fedMetrics(values: Values): ServerMetrics {
  const metrics = makeServerMetrics()
  for (const { name, metric } of metrics.registry.all) {
    if (!values.has(`zk_${name}`) && !values.has(`zk_avg_${name}`)) continue
    if (metric instanceof Counter) metric.add(numberOf(values, name))
    if (metric instanceof Summary) {
      for (const value of spread(figuresOf(values, name))) metric.add(value)
    }
    if (metric instanceof AdvancedSummary) {
      for (const value of samplesOf(values, name)) metric.add(value)
    }
  }
  feedSet(metrics.readPerNamespace, 'read_per_namespace', values)
  feedSet(metrics.writePerNamespace, 'write_per_namespace', values)
  feedSet(metrics.learnerHandlerQpSize, 'learner_handler_qp_size', values)
  feedSet(metrics.learnerHandlerQpTimeMs, 'learner_handler_qp_time_ms', values)
  return metrics
}

function fedStats(values: Values): ServerStats {
  const stats = new ServerStats()
  stats.packetsReceived = numberOf(values, 'packets_received')
  stats.packetsSent = numberOf(values, 'packets_sent')
  const count = requestsOf(numberOf(values, 'avg_latency'))
  const minMs = numberOf(values, 'min_latency')
  const maxMs = numberOf(values, 'max_latency')
  const sumMs = Math.round(numberOf(values, 'avg_latency') * count)
  for (const ms of spread({ minMs, maxMs, count, sumMs })) stats.latencyMs.add(ms)
  for (const kind of ['max', 'min', 'last']) {
    const bytes = numberOf(values, `${kind}_client_response_size`)
    if (bytes >= 0) stats.clientResponseBytes.add(bytes)
  }
  return stats
}

/** The fewest requests that give this average, which is all that `mntr` tells of them. */
function requestsOf(average: number): number {
  if (average === 0) return 0
  for (let count = 3; count < 1000; count += 1) {
    if (Number((Math.round(average * count) / count).toFixed(4)) === average) return count
  }
  throw new Error(`no average of whole numbers is ${average}`)
}

function fedView(values: Values, quorum?: QuorumView): ServerView {
  const { host } = makeView()
  const mode = values.get('zk_server_state')
  return makeView({
    mode: mode === 'leader' || mode === 'follower' || mode === 'observer' ? mode : 'standalone',
    clock: { mono: 10_000 + numberOf(values, 'uptime'), wall: 0 },
    startedMono: 10_000,
    stats: fedStats(values),
    metrics: fedMetrics(values),
    host: {
      ...host,
      openFileDescriptors: numberOf(values, 'open_file_descriptor_count'),
      maxFileDescriptors: numberOf(values, 'max_file_descriptor_count'),
    },
    cnxnCount: numberOf(values, 'num_alive_connections'),
    sessions: { ...noSessions, globalCount: numberOf(values, 'global_sessions') },
    ephemeralCount: numberOf(values, 'ephemerals_count'),
    nodeCount: numberOf(values, 'znode_count'),
    approximateDataBytes: numberOf(values, 'approximate_data_size'),
    watchCount: numberOf(values, 'watch_count'),
    quorum,
  })
}

function quorumOf(values: Values): QuorumView {
  const optional = (key: string): number | undefined =>
    values.has(`zk_${key}`) ? numberOf(values, key) : undefined
  const proposalSizes = new SizeStats()
  for (const kind of ['max', 'min', 'last']) {
    proposalSizes.add(optional(`${kind}_proposal_size`) ?? 0)
  }
  const leader = {
    learners: optional('learners') ?? 0,
    syncedFollowers: optional('synced_followers') ?? 0,
    syncedNonVotingFollowers: optional('synced_non_voting_followers') ?? 0,
    pendingSyncs: optional('pending_syncs') ?? 0,
    leadingSinceMono: 10_000 + numberOf(values, 'uptime') - (optional('leader_uptime') ?? 0),
    proposalSizes,
    outsiders: [],
  }
  return {
    peerState: values.get('zk_peer_state') ?? '',
    initLimit: 10,
    syncLimit: 5,
    electionAlg: 3,
    electionPort: '',
    quorumPort: '',
    isObserver: false,
    isStayingOut: false,
    quorumSize: numberOf(values, 'quorum_size'),
    membership: '',
    observerMasterId: optional('observer_master_id'),
    syncedObservers: optional('synced_observers'),
    leader: values.has('zk_learners') ? leader : undefined,
  }
}

function mntr(view: ServerView): string {
  return [...runFourLetterWord('mntr', view, '*', Buffer.alloc(0))].join('')
}

const sorted = (text: string): readonly string[] => text.split('\n').sort()

/** Of our own, or of 3.10. */
const isNew = (key: string): boolean =>
  SINCE_3_9.includes(key) || /^zk_(members_staying_out|op_count_|ttl_node_)/.test(key)

const isAbsent = (key: string): boolean =>
  absentMetrics.has(key.replace(/^zk_/, '')) ||
  absentMetrics.has(key.replace(/^zk_(avg|min|max|cnt|sum|p\d+)_/, ''))

/**
 * Recorded lines and ours, but for those that only one of the two has: the order of the rest is that
 * of a hash table.
 */
function expectSameLines(text: string, recording: string): void {
  const keyOf = (line: string): string => line.split('\t')[0] ?? ''
  const ours = sorted(text)
  expect(ours.filter((line) => isAbsent(keyOf(line)))).toEqual([])
  expect(ours.filter((line) => !isNew(keyOf(line)))).toEqual(
    sorted(recording).filter((line) => !isAbsent(keyOf(line))),
  )
}

describe('mntr of a standalone server', () => {
  test.each(['mntr', 'empty-mntr'])('every line of %s', (name) => {
    const values = valuesOf(golden(name))
    expectSameLines(mntr(fedView(values)), golden(name))
  })

  test('has of what 3.9 added all that counts here', () => {
    const keys = valuesOf(mntr(makeView()))
    expect(SINCE_3_9.filter((key) => !keys.has(key))).toEqual([])
  })

  test('tells version, state and gauges first, in the recorded order', () => {
    const firstKeys = (text: string) => [...valuesOf(text).keys()].slice(0, 26)
    expect(firstKeys(mntr(makeView()))).toEqual(firstKeys(golden('empty-mntr')))
  })

  test('no key comes twice', () => {
    const lines = mntr(makeView()).split('\n').slice(0, -1)
    expect(valuesOf(mntr(makeView())).size).toBe(lines.length)
  })

  test('quotas by namespace', () => {
    const quotas = [
      { namespace: 'app', countLimit: 10, bytesLimit: -1, countUsage: 3, bytesUsage: 44 },
    ]
    const lines = mntr(makeView({ quotas })).split('\n')
    expect(lines.filter((line) => line.includes('quota'))).toEqual([
      'zk_app_quota_count_limit_per_namespace\t10',
      'zk_app_quota_bytes_limit_per_namespace\t-1',
      'zk_app_quota_count_usage_per_namespace\t3',
      'zk_app_quota_bytes_usage_per_namespace\t44',
    ])
  })
})

describe('mntr of a member of an ensemble', () => {
  test.each(['leader', 'follower', 'observer'])('every line of a %s', (mode) => {
    const recording = golden(`quorum-${mode}-mntr`)
    const values = valuesOf(recording)
    expectSameLines(mntr(fedView(values, quorumOf(values))), recording)
  })
})
