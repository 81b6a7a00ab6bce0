import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Config } from '../../../../src/config/config.ts'
import { parseConfig } from '../../../../src/config/parse.ts'
import {
  type ConfigEntry,
  type ConfigFiles,
  formatConfigError,
  isConfigError,
} from '../../../../src/config/source.ts'
import {
  configTextOf,
  membershipOf,
  quorumSettingsOf,
} from '../../../../src/server/ensemble/membership-of.ts'

type Keys = Readonly<Record<string, string>>

const entriesOf = (keys: Keys): readonly ConfigEntry[] =>
  Object.entries(keys).map(([key, value], index) => ({ key, value, line: index + 1 }))

const filesOf = (myid: string, dynamic: Readonly<Record<string, Keys>> = {}): ConfigFiles => ({
  readText: (path) => (path === '/d/myid' ? { kind: 'read', content: myid } : { kind: 'missing' }),
  readProperties: (path) => {
    const keys = dynamic[path]
    return keys === undefined ? { kind: 'missing' } : { kind: 'read', content: entriesOf(keys) }
  },
})

const base: Keys = {
  dataDir: '/d',
  clientPort: '2181',
  tickTime: '1000',
  initLimit: '10',
  syncLimit: '5',
}
const servers: Keys = {
  'server.1': '127.0.0.1:31401:31411',
  'server.2': '127.0.0.1:31512:31612',
  'server.10': 'ten:1:2|ten-b:3:4',
  'server.3': '127.0.0.1:31513:31613:participant',
  'server.4': '127.0.0.1:31514:31614:observer',
}
const three: Keys = {
  ...base,
  'server.3': 'c:1:2',
  'server.1': 'a:1:2',
  'server.2': 'b:1:2',
}

function tryParse(
  keys: Keys,
  flags: Keys = {},
  files: ConfigFiles = filesOf('1'),
): { readonly config: Config; readonly notes: readonly string[] } | string {
  const parsed = parseConfig(entriesOf(keys), 'zoo.cfg', new Map(Object.entries(flags)), files)
  return isConfigError(parsed) ? formatConfigError(parsed) : parsed
}

function parse(keys: Keys, flags: Keys = {}, files?: ConfigFiles): Config {
  const parsed = tryParse(keys, flags, files)
  if (typeof parsed === 'string') throw new Error(parsed)
  return parsed.config
}

describe('the membership of a configuration', () => {
  it('is none for a standalone server', () => {
    expect(membershipOf(parse({ dataDir: '/d', clientPort: '2181' }))).toBe(undefined)
    expect(membershipOf(parse({ ...base, 'server.1': 'a:1:2' }))).toBe(undefined)
  })

  it('has its members by sid, with roles and addresses', () => {
    const membership = membershipOf(
      parse({ ...base, ...servers, 'multiAddress.enabled': 'true' }, {}, filesOf('4')),
    )
    expect([...(membership?.current.members.keys() ?? [])]).toEqual([1, 2, 3, 4, 10])
    expect(membership?.self).toEqual({
      sid: 4,
      role: 'observer',
      quorumAddresses: [{ host: '127.0.0.1', port: 31_514 }],
      electionAddresses: [{ host: '127.0.0.1', port: 31_614 }],
    })
    expect(membership?.memberOf(10)?.electionAddresses).toEqual([
      { host: 'ten', port: 2 },
      { host: 'ten-b', port: 4 },
    ])
  })

  it('counts participants only', () => {
    const keys = { ...base, ...servers, 'server.10': 'ten:1:2' }
    const quorum = membershipOf(parse(keys))?.quorum
    const isQuorum = (...sids: number[]): boolean | undefined =>
      quorum?.containsQuorum((sid) => sids.includes(sid))
    expect(isQuorum(1, 2, 4)).toBe(false)
    expect(isQuorum(1, 2, 3)).toBe(true)
  })

  it('has the limits of the original unless others are set', () => {
    expect(membershipOf(parse(three))?.current.version).toBe(0)
    expect(parse(three).cnxTimeoutMs).toBe(5000)
    expect(quorumSettingsOf(parse(three))).toEqual({
      tickTimeMs: 1000,
      initLimitMs: 10_000,
      syncLimitMs: 5000,
      connectToLeaderLimitMs: 10_000,
      notificationIntervalMsMin: 200,
      notificationIntervalMsMax: 60_000,
      finalizeWaitMs: 200,
      snapshotSizeFactor: 0.33,
      forceSnapshotSync: false,
      concurrentSnapSyncsMax: 10,
      concurrentDiffSyncsMax: 100,
      observerLogs: true,
    })
    expect(parse(three)).toMatchObject({
      electionPortBindRetry: 3,
      quorumListenOnAllIPs: false,
      tcpKeepAlive: false,
      commitLogCount: 500,
      leaderServes: true,
    })
  })

  it('takes them from the file and from flags, each under the name of the original', () => {
    const keys = {
      ...three,
      connectToLearnerMasterLimit: '20',
      quorumListenOnAllIPs: 'true',
      syncEnabled: 'false',
      cnxTimeout: '700',
      snapshotSizeFactor: '-1',
      'leader.maxConcurrentSnapSyncs': '3',
    }
    const flags = {
      'zookeeper.fastleader.minNotificationInterval': '100',
      'zookeeper.fastleader.maxNotificationInterval': '1000',
      'zookeeper.forceSnapshotSync': 'true',
      'zookeeper.leader.maxConcurrentDiffSyncs': '7',
      'zookeeper.commitLogCount': '1000',
      'zookeeper.electionPortBindRetry': '0',
      'zookeeper.leaderServes': 'no',
      'zookeeper.tcpKeepAlive': 'true',
    }
    const parsed = tryParse(keys, flags)
    if (typeof parsed === 'string') throw new Error(parsed)
    expect(parsed.notes).toEqual([])
    expect(quorumSettingsOf(parsed.config)).toMatchObject({
      connectToLeaderLimitMs: 20_000,
      notificationIntervalMsMin: 100,
      notificationIntervalMsMax: 1000,
      snapshotSizeFactor: -1,
      forceSnapshotSync: true,
      concurrentSnapSyncsMax: 3,
      concurrentDiffSyncsMax: 7,
      observerLogs: false,
    })
    expect(parsed.config).toMatchObject({
      cnxTimeoutMs: 700,
      electionPortBindRetry: 0,
      quorumListenOnAllIPs: true,
      tcpKeepAlive: true,
      commitLogCount: 1000,
      leaderServes: false,
    })
  })

  it('lets observer.syncEnabled win over syncEnabled', () => {
    const keys = { ...three, syncEnabled: 'false' }
    expect(parse(keys, { 'zookeeper.observer.syncEnabled': 'true' }).syncEnabled).toBe(true)
  })

  it('has values at the edge', () => {
    const odd = tryParse({ ...three, commitLogCount: '10', connectToLearnerMasterLimit: '0' })
    expect(odd).toMatchObject({
      config: { commitLogCount: 500, connectToLearnerMasterLimit: 10 },
      notes: ['commitLogCount=10 is too small: 500 is used'],
    })
    expect(parse({ ...three, electionPortBindRetry: '-1' }).electionPortBindRetry).toBe(3)
    for (const [text, factor] of [
      ['0', 0],
      ['.5', 0.5],
      ['2.', 2],
      ['1000', 1000],
    ] as const)
      expect(parse({ ...three, snapshotSizeFactor: text }).snapshotSizeFactor).toBe(factor)
  })
})

/** The memberships in the notifications of real servers. */
function goldenTexts(): readonly string[] {
  const file = '../../../golden/quorum/run3-fake-peers-election.jsonl'
  const lines = readFileSync(new URL(file, import.meta.url), 'utf8')
    .trim()
    .split('\n')
  return lines.flatMap((line) => {
    const bytes = Buffer.from(/"hex": *"([0-9a-f]+)"/.exec(line)?.[1] ?? '', 'hex')
    const at = bytes.indexOf('server.1=')
    return at < 0 ? [] : [bytes.subarray(at).toString('latin1')]
  })
}

describe('the text of the membership', () => {
  it('is that of the original', () => {
    const golden: Record<string, string> = {}
    for (const sid of [4, 3, 2, 1]) {
      const role = sid === 4 ? ':observer' : ''
      golden[`server.${sid}`] = `127.0.0.1:3140${sid}:3141${sid}${role};127.0.0.1:3142${sid}`
    }
    const config = parse({ ...base, clientPort: '31421', ...golden })
    expect(goldenTexts()).toContain(configTextOf(config))
    expect(goldenTexts()).toContain(configTextOf({ ...config, configVersion: 0x1_0000_0000 }))
    expect(configTextOf(parse({ ...base, 'server.1': 'h:1:2', 'server.2': 'h:3:4' }))).toBe(
      'server.1=h:1:2:participant\nserver.2=h:3:4:participant\nversion=0',
    )
  })

  it('names the version of a dynamic file, which is in its name or in it', () => {
    const { 'server.1': one, 'server.2': two, 'server.3': last, ...rest } = three
    const members = { 'server.1': one ?? '', 'server.2': two ?? '', 'server.3': last ?? '' }
    const path = '/c/zoo.cfg.dynamic.100000000'
    const config = parse(
      { ...rest, dynamicConfigFile: path },
      {},
      filesOf('1', { [path]: members }),
    )
    expect(membershipOf(config)?.current.version).toBe(0x1_0000_0000)
    expect(configTextOf(config)).toMatch(/\nversion=100000000$/)
    const inside = filesOf('1', { '/dyn': { ...members, version: 'ab' } })
    expect(parse({ ...rest, dynamicConfigFile: '/dyn' }, {}, inside).configVersion).toBe(0xab)
    const wrong = filesOf('1', { '/dyn': { ...members, version: 'x' } })
    expect(tryParse({ ...rest, dynamicConfigFile: '/dyn' }, {}, wrong)).toBe(
      '/dyn:4: version=x: must be a hexadecimal number',
    )
  })
})

describe('groups and weights', () => {
  const grouped: Keys = {
    ...three,
    'server.4': 'd:1:2:observer',
    'group.2': '3',
    'group.1': '2:1',
    'weight.1': '0',
  }

  it('are read, and every participant has a weight', () => {
    const { groups } = parse(grouped)
    expect([...(groups?.members ?? [])]).toEqual([
      [1, [1, 2]],
      [2, [3]],
    ])
    expect([...(groups?.weights ?? [])]).toEqual([
      [1, 0],
      [2, 1],
      [3, 1],
    ])
    expect(parse(three).groups).toBe(undefined)
  })

  it('decide what a quorum is', () => {
    const isQuorum = (keys: Keys, ...sids: number[]): boolean | undefined =>
      membershipOf(parse(keys))?.quorum.containsQuorum((sid) => sids.includes(sid))
    expect(isQuorum(grouped, 1, 3)).toBe(false)
    expect(isQuorum(grouped, 2, 3)).toBe(true)
    expect(isQuorum(three, 1, 3)).toBe(true)
    expect(membershipOf(parse(grouped))?.quorum.weightOf(1)).toBe(0)
  })

  it('stand in the text of the membership', () => {
    expect(configTextOf(parse(grouped)).split('\n').slice(4)).toEqual([
      'group.1=1:2',
      'group.2=3',
      'weight.1=0',
      'weight.2=1',
      'weight.3=1',
      'version=0',
    ])
  })

  it('may stand in a dynamic file', () => {
    const { tickTime: _, ...rest } = base
    const keys = { ...rest, dynamicConfigFile: '/dyn' }
    const dynamic = Object.fromEntries(Object.entries(grouped).filter(([key]) => !(key in base)))
    expect(parse(keys, {}, filesOf('1', { '/dyn': dynamic })).groups?.members.size).toBe(2)
    expect(tryParse({ ...keys, 'group.1': '1' }, {}, filesOf('1', { '/dyn': dynamic }))).toMatch(
      /^zoo.cfg:6: group.1=1: must stand in the dynamicConfigFile instead$/,
    )
  })

  it.each([
    [{ 'group.2': '1:3' }, /group\.[12]=.*has server 1, which is in a group already/],
    [{ 'group.1': '2' }, /server.1: is not in any group.N/],
    [{ 'group.1': '1:x' }, /must be numbers of servers, as in 1:2:3/],
    [{ 'group.x': '3' }, /must have a number after 'group.'/],
    [{ 'weight.1': '-1' }, /must be a weight from 0 on/],
    [{ 'weight.x': '1' }, /must be a weight from 0 on/],
    [{ 'weight.2': '0', 'weight.3': '0' }, /makes no quorum/],
  ])('that are wrong are refused: %j', (changes, problem) => {
    expect(tryParse({ ...grouped, ...changes })).toMatch(problem)
  })
})

describe('what an ensemble refuses', () => {
  it.each([
    [{ sslQuorum: 'true' }, /^zoo.cfg:9: sslQuorum=true: is not possible: members cannot protect/],
    [{ 'quorum.auth.serverRequireSasl': 'true' }, /is not possible/],
    [{ 'server.2': 'a:1:2|b:1:2' }, /has several addresses, which needs multiAddress.enabled/],
    [{ snapshotSizeFactor: 'x' }, /must be a number such as 0.33/],
    [{ 'fastleader.minNotificationInterval': '70000' }, /\(70000\) larger than the largest/],
    [{ cnxTimeout: '0' }, /a whole number of milliseconds above 0/],
    [{ leaderServes: 'maybe' }, /must be yes or no/],
  ])('%j', (changes, problem) => {
    expect(tryParse({ ...three, ...changes })).toMatch(problem)
  })

  it('is no obstacle to a standalone server', () => {
    const alone = { dataDir: '/d', clientPort: '2181', sslQuorum: 'true' }
    expect(tryParse(alone)).toMatchObject({
      notes: ['sslQuorum has no effect: this version has no TLS'],
    })
  })

  it('is not another peerType than the line has, but it is told of', () => {
    expect(tryParse({ ...three, peerType: 'observer' })).toMatchObject({
      notes: ['peerType is observer, but the own server.N line says participant, which counts'],
    })
    const observer = { ...three, 'server.4': 'd:1:2:observer' }
    expect(tryParse({ ...observer, peerType: 'observer' }, {}, filesOf('4'))).toMatchObject({
      notes: [],
    })
    expect(tryParse(observer, {}, filesOf('4'))).toMatchObject({ notes: [] })
  })
})
