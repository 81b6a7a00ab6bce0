import { describe, expect, it } from 'vitest'
import type { Config } from '../../../src/config/config.ts'
import { parseConfig } from '../../../src/config/parse.ts'
import {
  type ConfigEntry,
  type ConfigFiles,
  formatConfigError,
  isConfigError,
} from '../../../src/config/source.ts'

const base = { dataDir: '/d', clientPort: '2181' }

function entriesOf(keys: Readonly<Record<string, string>>): readonly ConfigEntry[] {
  return Object.entries(keys).map(([key, value], index) => ({ key, value, line: index + 1 }))
}

/** Files by path: a text, or the entries of a properties file. */
function filesOf(files: Readonly<Record<string, string | readonly ConfigEntry[]>>): ConfigFiles {
  return {
    readText(path) {
      const content = files[path]
      return typeof content === 'string' ? { kind: 'read', content } : { kind: 'missing' }
    },
    readProperties(path) {
      const content = files[path]
      if (content === undefined || typeof content === 'string') return { kind: 'missing' }
      return { kind: 'read', content }
    },
  }
}

function parse(
  keys: Readonly<Record<string, string>>,
  flags: Readonly<Record<string, string>> = {},
  files: ConfigFiles = filesOf({}),
): { config: Config; notes: readonly string[] } {
  const parsed = parseConfig(entriesOf(keys), 'zoo.cfg', new Map(Object.entries(flags)), files)
  if (isConfigError(parsed)) throw new Error(formatConfigError(parsed))
  return parsed
}

function problemOf(
  keys: Readonly<Record<string, string>>,
  flags: Readonly<Record<string, string>> = {},
  files: ConfigFiles = filesOf({}),
): string {
  const parsed = parseConfig(entriesOf(keys), 'zoo.cfg', new Map(Object.entries(flags)), files)
  return isConfigError(parsed) ? formatConfigError(parsed) : 'no problem'
}

describe('defaults', () => {
  it('are those of ZooKeeper', () => {
    const { config, notes } = parse(base)
    expect(notes).toEqual([])
    expect(config).toMatchObject({
      dataDir: '/d',
      dataLogDir: '/d',
      clientPort: 2181,
      clientPortAddress: undefined,
      clientPortListenBacklog: -1,
      tickTimeMs: 3000,
      minSessionTimeoutMs: 6000,
      maxSessionTimeoutMs: 60_000,
      maxClientCnxns: 60,
      maxCnxns: 0,
      globalOutstandingLimit: 1000,
      juteMaxBufferBytes: 1_048_575,
      sessionlessCnxnTimeoutMs: 10_000,
      preAllocBytes: 64 * 1024 * 1024,
      forceSync: true,
      fsyncWarningThresholdMs: 1000,
      snapCount: 100_000,
      containerCheckIntervalMs: 60_000,
      containerMaxPerMinute: 10_000,
      digestEnabled: true,
      skipAcl: false,
      saslUsers: undefined,
      enforceAuthSchemes: undefined,
    })
    expect(config.fourLetterWords).toEqual(new Set(['srvr']))
    expect(config.authSchemes).toEqual(new Set(['ip', 'digest']))
    expect(config.servers.size).toBe(0)
  })
})

describe('wrong values', () => {
  const port = 'must be a whole number from 0 to 65535'
  const table: readonly (readonly [key: string, value: string, problem: string])[] = [
    ['tickTime', 'abc', 'must be a whole number of milliseconds above 0'],
    ['tickTime', '0', 'must be a whole number of milliseconds above 0'],
    ['tickTime', '-2000', 'must be a whole number of milliseconds above 0'],
    ['tickTime', '2000.5', 'must be a whole number of milliseconds above 0'],
    ['tickTime', '0x7d0', 'must be a whole number of milliseconds above 0'],
    ['tickTime', '3000000000', 'must be a whole number of milliseconds above 0'],
    ['tickTime', '', 'must be a whole number of milliseconds above 0'],
    ['clientPort', '65536', port],
    ['clientPort', '-1', port],
    ['clientPort', '21 81', port],
    ['clientPortListenBacklog', '-2', 'must be a whole number of connections, -1 or more'],
    ['minSessionTimeout', '-2', 'must be a whole number of milliseconds, -1 or more'],
    ['maxClientCnxns', 'many', 'must be a whole number of connections'],
    ['globalOutstandingLimit', '0', 'must be a whole number of requests above 0'],
    ['preAllocSize', '64M', 'must be a whole number of KiB'],
    ['jute.maxbuffer', '4MB', 'must be a whole number of bytes above 0'],
    ['forceSync', 'false', 'must be yes or no'],
    ['skipACL', 'true', 'must be yes or no'],
    ['digest.enabled', 'yes', 'must be true or false'],
    ['reconfigEnabled', '1', 'must be true or false'],
    ['electionAlg', '2', 'must be 3: the other election algorithms are no more'],
    ['peerType', 'boss', 'must be participant or observer'],
    ['observerMasterPort', 'x', 'must be a whole number, 0 or more'],
    ['sslQuorum', 'on', 'must be true or false'],
    ['autopurge.snapRetainCount', 'x', 'must be a whole number, 0 or more'],
    [
      'DigestAuthenticationProvider.digestAlg',
      'ROT13',
      'is not a known hash; SHA1, SHA-256 and SHA-512 are some',
    ],
    ['dataLogDir', '', 'must name a directory'],
    ['clientPortAddress', '', 'must be an address or a host name'],
    ['enforce.auth.enabled', 'true', 'needs enforce.auth.schemes, a list such as digest,sasl'],
    ['myid', 'one', 'must be a whole number from 0 to 2147483647'],
  ]
  it.each(table)('%s=%s', (key, value, problem) => {
    const keys: Record<string, string> = { dataDir: '/d', clientPort: '2181' }
    delete keys[key]
    const line = Object.keys(keys).length + 1
    expect(problemOf({ ...keys, [key]: value })).toBe(
      `zoo.cfg:${line}: ${key}=${value}: ${problem}`,
    )
  })

  it('of several the first in the file is told, what is missing comes last', () => {
    expect(problemOf({ snapCount: 'x', tickTime: 'y', initLimit: 'z' })).toMatch(
      /^zoo.cfg:1: snapCount=x/,
    )
    expect(problemOf({ clientPort: '2181' })).toMatch(/^zoo.cfg: dataDir: is not set/)
    expect(problemOf({ dataDir: '/d' })).toMatch(/^zoo.cfg: clientPort: is not set/)
  })

  it('are told in one line, whatever they hold', () => {
    const problem = problemOf({ ...base, tickTime: `a\nb\u2028${'c'.repeat(1000)}` })
    expect(problem).toMatch(/^zoo.cfg:3: tickTime=a\uFFFDb\uFFFDc+\.\.\.: must/)
    expect(problem.length).toBeLessThan(300)
  })
})

describe('session timeouts', () => {
  it('follow tickTime, unless set; -1 means unset', () => {
    const keys = { ...base, tickTime: '1000', minSessionTimeout: '-1', maxSessionTimeout: '5000' }
    expect(parse(keys).config).toMatchObject({
      minSessionTimeoutMs: 2000,
      maxSessionTimeoutMs: 5000,
    })
    const huge = parse({ ...base, tickTime: '2147483647' }).config
    expect(huge.maxSessionTimeoutMs).toBe(2_147_483_647)
  })

  it('must not cross', () => {
    expect(problemOf({ ...base, maxSessionTimeout: '5000' })).toBe(
      'zoo.cfg:3: maxSessionTimeout=5000: makes minSessionTimeout (6000) larger than maxSessionTimeout (5000)',
    )
    expect(problemOf({ ...base, minSessionTimeout: '60001' })).toMatch(/^zoo.cfg:3: minSession/)
  })
})

describe('who wins', () => {
  it('a key of zoo.cfg over the flag of the same property', () => {
    const flags = { 'zookeeper.snapCount': '7', 'zookeeper.maxCnxns': '8' }
    const { config } = parse({ ...base, snapCount: '50' }, flags)
    expect(config).toMatchObject({ snapCount: 50, maxCnxns: 8 })
  })

  it('the flag, for properties without the prefix', () => {
    const keys = { ...base, 'jute.maxbuffer': '1000', 'znode.container.checkIntervalMs': '5' }
    const { config } = parse(keys, { 'jute.maxbuffer': '0xfffff' })
    expect(config).toMatchObject({ juteMaxBufferBytes: 1_048_575, containerCheckIntervalMs: 5 })
    expect(parse(base, { 'zookeeper.jute.maxbuffer': '9' }).config.juteMaxBufferBytes).toBe(
      1_048_575,
    )
  })

  it('the file alone, for keys of the file', () => {
    const { config, notes } = parse(base, { 'zookeeper.tickTime': '9' })
    expect(config.tickTimeMs).toBe(3000)
    expect(notes).toEqual(['-Dzookeeper.tickTime has no effect: it is a key of the file'])
  })

  it('the last of two lines', () => {
    const entries = [...entriesOf(base), { key: 'clientPort', value: '2182', line: 9 }]
    const parsed = parseConfig(entries, 'zoo.cfg', new Map())
    expect(parsed).toMatchObject({
      config: { clientPort: 2182 },
      notes: ['clientPort is set twice: line 9 wins over 2'],
    })
  })

  it('names the flag that is wrong', () => {
    expect(problemOf(base, { 'zookeeper.snapCount': 'x' })).toBe(
      'SERVER_JVMFLAGS, JVMFLAGS: -Dzookeeper.snapCount=x: must be a whole number of txns, 0 or more',
    )
  })

  it('zookeeper.fsync.warningthresholdms over the name without the prefix', () => {
    const flags = { 'fsync.warningthresholdms': '20' }
    expect(parse(base, flags).config.fsyncWarningThresholdMs).toBe(20)
    const both = { ...flags, 'zookeeper.fsync.warningthresholdms': '30' }
    expect(parse(base, both).config.fsyncWarningThresholdMs).toBe(30)
  })
})

describe('values at the edge', () => {
  it('no limit is 0, however it is spelled', () => {
    const keys = { ...base, maxClientCnxns: '-1', maxCnxns: '-5', preAllocSize: '-1' }
    expect(parse(keys).config).toMatchObject({ maxClientCnxns: 0, maxCnxns: 0, preAllocBytes: 0 })
  })

  it('booleans are TRUE and True as well, and values are trimmed', () => {
    const keys = { ...base, extendedTypesEnabled: 'TRUE', enforceQuota: ' True ', forceSync: 'No' }
    const { config } = parse(keys)
    expect(config).toMatchObject({
      extendedTypesEnabled: true,
      enforceQuota: true,
      forceSync: false,
    })
  })

  it('snapCount is at least 2', () => {
    const { config, notes } = parse({ ...base, snapCount: '1' })
    expect(config.snapCount).toBe(2)
    expect(notes).toEqual(['snapCount=1 is too small: 2 is used'])
  })

  it('the address of the client port needs the port, and may have brackets', () => {
    const keys = { ...base, clientPortAddress: '[::1]' }
    expect(parse(keys).config.clientPortAddress).toBe('::1')
    const lonely = { dataDir: '/d', clientPortAddress: '::1' }
    expect(problemOf(lonely)).toBe(
      'zoo.cfg:2: clientPortAddress=::1: needs clientPort, which is not set',
    )
  })
})

describe('four-letter words', () => {
  const words = (keys: Record<string, string>): unknown =>
    parse({ ...base, ...keys }).config.fourLetterWords
  it('srvr always, isro in read-only mode, * for all', () => {
    expect(words({ '4lw.commands.whitelist': 'ruok, mntr,,' })).toEqual(
      new Set(['ruok', 'mntr', 'srvr']),
    )
    expect(words({ 'readonlymode.enabled': 'true' })).toEqual(new Set(['isro', 'srvr']))
    expect(words({ '4lw.commands.whitelist': 'ruok, *' })).toBe('*')
    expect(words({ '4lw.commands.whitelist': '' })).toEqual(new Set(['srvr']))
  })
})

describe('keys without effect', () => {
  it('are accepted, with a line that says so', () => {
    const keys = {
      ...base,
      'autopurge.purgeInterval': '1',
      'admin.serverPort': '8081',
      'fips-mode': 'true',
      serverCnxnFactory: 'org.apache.zookeeper.server.NettyServerCnxnFactory',
      'metricsProvider.httpPort': '7000',
      'my.own.key': '1',
      'zookeeper.snapCount': '5',
      observerMasterPort: '2191',
      quorumListenOnAllIPs: 'true',
    }
    const { config, notes } = parse(keys, {
      'leader.nodelay': 'true',
      'zookeeper.odd': '1',
      'zookeeper.log.dir': '/l',
      'file.encoding': 'UTF-8',
    })
    expect(config.snapCount).toBe(100_000)
    expect([...notes].sort()).toEqual([
      '-Dleader.nodelay has no effect in this version',
      '-Dzookeeper.odd is not a known key and has no effect',
      'admin.serverPort has no effect: this version has no admin server',
      'fips-mode has no effect: this version has no TLS',
      'metricsProvider.httpPort has no effect: this version has no metrics provider',
      'my.own.key is not a known key and has no effect',
      'observerMasterPort has no effect in this version',
      'serverCnxnFactory has no meaning for a server without a JVM',
      "zookeeper.snapCount has no effect: write it without 'zookeeper.'",
    ])
  })
})

describe('ensembles', () => {
  const three = {
    ...base,
    initLimit: '10',
    syncLimit: '5',
    'server.1': 'localhost:2888:3888',
    'server.2': 'localhost:2889:3889;2182',
    'server.3': '[::1]:2890:3890:participant;[::1]:2183',
  }
  const myid = (id: string): ConfigFiles => filesOf({ '/d/myid': id })

  it('have their servers, and the id of the file', () => {
    const { config, notes } = parse(three, {}, myid('1\n'))
    expect(notes).toEqual([])
    expect([...config.servers.keys()]).toEqual([1, 2, 3])
    expect(config.servers.get(1)?.text).toBe('localhost:2888:3888:participant')
    expect(config).toMatchObject({ myid: 1, initLimit: 10, syncLimit: 5, clientPort: 2181 })
  })

  it('take the client port of the own server line, which must not differ', () => {
    const { clientPort: _, ...noPort } = three
    const { config } = parse(noPort, {}, myid('3'))
    expect(config).toMatchObject({ clientPort: 2183, clientPortAddress: '::1' })
    expect(problemOf(three, {}, myid('2'))).toMatch(
      /clientPort=2181: differs from 2182, the client port of server.2$/,
    )
  })

  it('need limits and an id that is one of theirs', () => {
    const { initLimit: _, ...noLimit } = three
    expect(problemOf(noLimit, {}, myid('1'))).toBe(
      'zoo.cfg: initLimit: is not set: an ensemble needs it',
    )
    expect(problemOf(three)).toBe(
      'zoo.cfg: myid: is not set: write the number of this server (1, 2, 3) into /d/myid',
    )
    expect(problemOf(three, {}, myid('4'))).toMatch(/server.4: is not set, but myid is 4/)
    expect(problemOf(three, {}, myid('one'))).toBe(
      '/d/myid:1: myid=one: must hold one number from 0 to 2147483647',
    )
    expect(problemOf(three, {}, myid(''))).toMatch(/^\/d\/myid:1: myid=: must hold/)
  })

  it('are none where the number in myid means nothing, but it must be one', () => {
    for (const id of ['-1', '7', '+5', '99999999999', '300'])
      expect(parse({ ...base, extendedTypesEnabled: 'true' }, {}, myid(id)).notes).toEqual([])
    expect(problemOf(base, {}, myid('one'))).toMatch(/myid=one: must hold one number/)
  })

  it('may give a server several addresses, by the key or the flag that the original takes', () => {
    const many = { ...three, 'server.1': 'localhost:2888:3888|127.0.0.2:2888:3888' }
    expect(problemOf(many, {}, myid('1'))).toMatch(/which needs multiAddress.enabled=true/)
    const flag = { 'zookeeper.multiAddress.enabled': 'true' }
    expect(parse(many, flag, myid('1')).notes).toEqual([])
    expect(parse({ ...many, 'multiAddress.enabled': 'true' }, {}, myid('1')).notes).toEqual([])
    expect(parse(three, flag, myid('1')).notes).toEqual([])
  })

  it('take the id from the key myid when there is no file, and want both to agree', () => {
    expect(parse({ ...three, myid: '3', clientPort: '2183' }).config.myid).toBe(3)
    const crossed = problemOf({ ...three, myid: '3' }, {}, myid('1'))
    expect(crossed).toBe('zoo.cfg:8: myid=3: differs from 1, which the file /d/myid holds')
  })

  it('limit the id where TTL nodes need its space', () => {
    const keys = { ...three, 'server.255': 'localhost:2891:3891', extendedTypesEnabled: 'true' }
    expect(problemOf(keys, {}, myid('255'))).toMatch(/with extendedTypesEnabled it may be 254/)
    const high = { ...three, 'server.1001': 'localhost:2892:3892' }
    expect(parse(high, {}, myid('1001')).notes).toContain(
      'myid 1001 is above 255: session ids hold its low byte only',
    )
  })

  it('of one server are a standalone server, unless forbidden', () => {
    const one = { ...base, 'server.1': 'h:2888:3888;2181' }
    const { config, notes } = parse(one, {}, myid('1'))
    expect(config.servers.size).toBe(0)
    expect(notes).toEqual([
      'only one server.N line: it is ignored, and this server runs standalone',
    ])
    const strict = { ...one, standaloneEnabled: 'false', initLimit: '1', syncLimit: '1' }
    expect(parse(strict, {}, myid('1')).config.servers.size).toBe(1)
    expect(problemOf({ ...base, standaloneEnabled: 'false' })).toMatch(
      /^zoo.cfg: server.N: is not set/,
    )
    expect(problemOf({ ...base, 'server.1': 'h:1:2:observer' })).toMatch(
      /observers need an ensemble/,
    )
  })

  it('may stand in a dynamic file, and then there alone', () => {
    const keys = { ...base, initLimit: '1', syncLimit: '1', dynamicConfigFile: '/dyn' }
    const servers = entriesOf({ 'server.1': 'a:1:2', 'server.2': 'b:1:2', 'server.3': 'c:1:2' })
    const files = filesOf({ '/dyn': servers, '/d/myid': '2' })
    expect([...parse(keys, {}, files).config.servers.keys()]).toEqual([1, 2, 3])
    expect(problemOf(keys)).toBe(
      'zoo.cfg:5: dynamicConfigFile=/dyn: cannot be read: the file does not exist',
    )
    expect(problemOf({ ...keys, 'server.1': 'a:1:2' }, {}, files)).toMatch(
      /^zoo.cfg:6: server.1=a:1:2: must stand in the dynamicConfigFile instead$/,
    )
    const odd = filesOf({ '/dyn': [...servers, { key: 'tickTime', value: '1', line: 4 }] })
    expect(problemOf(keys, {}, odd)).toMatch(/^\/dyn:4: tickTime=1: is not a key of a dynamic/)
  })

  it('name the server line that is wrong', () => {
    expect(problemOf({ ...base, 'server.one': 'a:1:2' })).toMatch(/must have a number from 0/)
    expect(problemOf({ ...base, 'server.1': 'a:1' })).toMatch(
      /^zoo.cfg:3: server.1=a:1: must have the form/,
    )
  })
})
