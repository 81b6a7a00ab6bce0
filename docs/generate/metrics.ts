import { absentMetrics } from '../../src/server/stats/absent-metrics.ts'
import { makeServerMetrics } from '../../src/server/stats/server-metrics.ts'
import { table } from './table.ts'

const kindNames = {
  counter: 'counter',
  counterSet: 'counter for each key',
  summary: 'summary',
  summarySet: 'summary for each key',
  advanced: 'percentiles',
  advancedSet: 'percentiles for each key',
} as const

/** Every metric that is counted here, by group. */
export function metricsText(): string {
  const { all } = makeServerMetrics().registry
  const groups = new Map<string, string[][]>()
  for (const { group, name, kind, unit, help } of all) {
    const rows = groups.get(group) ?? []
    rows.push([`\`${name}\``, kindNames[kind], unit === 'count' ? '' : unit, help])
    groups.set(group, rows)
  }
  return [...groups]
    .map(([group, rows]) => `### ${group}\n\n${table(['name', 'kind', 'unit', 'of'], rows)}`)
    .join('\n\n')
}

/** Those of the original that have no counterpart here. */
export function absentMetricsText(): string {
  const byReason = new Map<string, string[]>()
  for (const [name, reason] of absentMetrics)
    byReason.set(reason, [...(byReason.get(reason) ?? []), `\`${name}\``])
  const rows = [...byReason].map(([reason, names]) => [names.join(', '), reason])
  return table(['names', 'why'], rows)
}
