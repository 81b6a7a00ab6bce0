import type { Config } from '../../src/config/config.ts'
import { parseConfig } from '../../src/config/parse.ts'
import type { Swarm } from './swarm.ts'

/** The configuration of one member, read as that of a real one is: zoo.cfg and myid. */
export function simConfig(swarm: Swarm, sid: number): Config {
  const all: Record<string, string> = {
    dataDir: '/data',
    clientPort: '2181',
    ...swarm.settings,
    ...membership(swarm),
    ...(sid > swarm.members ? { peerType: 'observer' } : {}),
  }
  const entries = Object.entries(all).map(([key, value], index) => ({
    key,
    value,
    line: index + 1,
  }))
  const parsed = parseConfig(entries, 'zoo.cfg', swarm.properties, {
    readText: () => ({ kind: 'read', content: `${sid}\n` }),
    readProperties: () => ({ kind: 'missing' }),
  })
  if (!('config' in parsed)) throw new Error(JSON.stringify(parsed))
  return parsed.config
}

function membership(swarm: Swarm): Record<string, string> {
  const { members, observers, weights, groups } = swarm
  if (members + observers === 1) return {}
  const lines: Record<string, string> = {}
  for (let other = 1; other <= members + observers; other += 1) {
    const role = other > members ? 'observer' : 'participant'
    lines[`server.${other}`] = `m${other}:2888:3888:${role}`
  }
  if (weights === undefined && groups === undefined) return lines
  const voters = Array.from({ length: members }, (_, index) => index + 1)
  for (const [index, group] of (groups ?? [voters]).entries())
    lines[`group.${index + 1}`] = group.join(':')
  for (const voter of voters) lines[`weight.${voter}`] = String(weights?.get(voter) ?? 1)
  return lines
}
