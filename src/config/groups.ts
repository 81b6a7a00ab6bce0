import type { QuorumGroups } from './config.ts'
import type { ConfigReader, Setting } from './reader.ts'
import type { ServerLine } from './servers.ts'

const NUMBER_MAX = 2 ** 31 - 1

/** The settings `group.N` and `weight.N` of one file, whichever they stand in. */
interface GroupSettings {
  readonly groups: readonly Setting[]
  readonly weights: readonly Setting[]
}

export const isGroupKey = (key: string): boolean => key.startsWith('group.')
export const isWeightKey = (key: string): boolean => key.startsWith('weight.')

/**
 * `group.N=sid:sid:...` and `weight.N=weight`; undefined where there are none of either. Every
 * participant belongs to one group (spec 06 §5.2), and counts 1 unless its weight is given.
 */
export function readGroups(
  reader: ConfigReader,
  settings: GroupSettings,
  servers: ReadonlyMap<number, ServerLine>,
): QuorumGroups | undefined {
  if (settings.groups.length === 0 && settings.weights.length === 0) return undefined
  const groupOf = new Map<number, number>()
  for (const setting of settings.groups) addGroup(reader, setting, groupOf)
  const weights = new Map<number, number>()
  for (const setting of settings.weights) {
    const sid = numberOf(setting.key.slice('weight.'.length))
    const weight = numberOf(setting.value)
    if (sid === undefined || weight === undefined)
      reader.refuse(setting, 'must be a weight from 0 on for a number after "weight."')
    else weights.set(sid, weight)
  }
  for (const [sid, { role }] of servers) {
    if (role !== 'participant') continue
    if (!groupOf.has(sid)) reader.refuseMissing(`server.${sid}`, 'is not in any group.N')
    if (!weights.has(sid)) weights.set(sid, 1)
  }
  const members = new Map<number, number[]>()
  for (const [sid, group] of ascending(groupOf)) {
    if (servers.get(sid)?.role === 'participant')
      members.set(group, [...(members.get(group) ?? []), sid])
  }
  const first = settings.groups[0]
  const hasWeight = [...groupOf.keys()].some((sid) => (weights.get(sid) ?? 0) > 0)
  if (first !== undefined && !hasWeight)
    reader.refuse(first, 'makes no quorum, because nobody in any group has weight')
  return { members: new Map(ascending(members)), weights: new Map(ascending(weights)) }
}

function addGroup(reader: ConfigReader, setting: Setting, groupOf: Map<number, number>): void {
  const group = numberOf(setting.key.slice('group.'.length))
  if (group === undefined) {
    reader.refuse(setting, "must have a number after 'group.'")
    return
  }
  for (const part of setting.value.split(':')) {
    const sid = numberOf(part.trim())
    if (sid === undefined) reader.refuse(setting, 'must be numbers of servers, as in 1:2:3')
    else if (groupOf.has(sid))
      reader.refuse(setting, `has server ${sid}, which is in a group already`)
    else groupOf.set(sid, group)
  }
}

function numberOf(text: string): number | undefined {
  if (!/^[0-9]{1,10}$/.test(text)) return undefined
  return Number(text) <= NUMBER_MAX ? Number(text) : undefined
}

const ascending = <T>(map: ReadonlyMap<number, T>): [number, T][] =>
  [...map].sort(([a], [b]) => a - b)
