import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startServer, type TestServer } from './harness/server.ts'
import { type CliRelease, runZkCli, startZkCli, type ZkCli } from './harness/zk-cli.ts'

const SUPER_DIGEST = 'super:D/InIHSb7yEEbrWz8b9l71RjZJU=' // The password is `test`.

const bobHash = createHash('sha1').update('bob:secret').digest('base64')

let server: TestServer
const clients: ZkCli[] = []

beforeAll(async () => {
  server = await startServer({
    jvmFlags: [
      '-Dzookeeper.extendedTypesEnabled=true',
      `-Dzookeeper.DigestAuthenticationProvider.superDigest=${SUPER_DIGEST}`,
    ].join(' '),
  })
})

afterAll(async () => {
  for (const client of clients) await client.kill()
  await server?.stop()
})

async function open(release: CliRelease, connectString = server.connectString): Promise<ZkCli> {
  const client = await startZkCli(release, connectString)
  clients.push(client)
  return client
}

/** The `name = value` lines of a Stat as zkCli prints them. */
function statOf(lines: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const line of lines) {
    const [name, value] = line.split(' = ')
    if (name !== undefined && value !== undefined) fields[name] = value
  }
  return fields
}

/** `[a, b]`, sorted: the order is that of a hash set on either side. */
function namesOf(lines: readonly string[]): string[] {
  const list = lines.find((line) => line.startsWith('['))
  return (list ?? '').slice(1, -1).split(', ').sort()
}

const stat = {
  name: ['cZxid', 'ctime', 'mZxid', 'mtime', 'pZxid', 'cversion', 'dataVersion', 'aclVersion'],
  size: ['ephemeralOwner', 'dataLength', 'numChildren'],
}

describe.each<CliRelease>(['debian', '3.9'])('zkCli of %s', (release) => {
  const root = `/cli-${release}`
  let cli: ZkCli
  let second: ZkCli

  beforeAll(async () => {
    cli = await open(release)
    second = await open(release)
  })

  it('creates nodes of every mode', async () => {
    expect(await cli.command(`create ${root} hello`)).toEqual([`Created ${root}`])
    expect(await cli.command(`create ${root}`)).toEqual([`Node already exists: ${root}`])
    expect(await cli.command(`create -e ${root}/eph e`)).toEqual([`Created ${root}/eph`])
    expect(await cli.command(`create -s ${root}/seq- s`)).toEqual([
      `Created ${root}/seq-0000000001`,
    ])
    expect(await cli.command(`create -e -s ${root}/es- s`)).toEqual([
      `Created ${root}/es-0000000002`,
    ])
    expect(await cli.command(`create -c ${root}/box c`)).toEqual([`Created ${root}/box`])
    expect(await cli.command(`create -t 600000 ${root}/ttl t`)).toEqual([`Created ${root}/ttl`])
    expect(await cli.command(`create -s -t 600000 ${root}/ttl- t`)).toEqual([
      `Created ${root}/ttl-0000000005`,
    ])
    expect(await cli.command(`create ${root}/null`)).toEqual([`Created ${root}/null`])
    expect(await cli.command(`create ${root}/empty ""`)).toEqual([`Created ${root}/empty`])
    expect(await cli.command(`create ${root}/no/parent x`)).toEqual([
      `Node does not exist: ${root}/no/parent`,
    ])
    expect(await cli.command(`create ${root}/eph/child x`)).toEqual([
      `Ephemerals cannot have children: ${root}/eph/child`,
    ])
  })

  it('lists, plainly and recursively', async () => {
    const names = ['box', 'empty', 'eph', 'es-0000000002', 'null', 'seq-0000000001', 'ttl']
    const all = [...names, 'ttl-0000000005']
    expect(namesOf(await cli.command(`ls ${root}`))).toEqual(all)
    expect(await cli.command(`ls -R ${root}`)).toEqual([
      root,
      ...all.map((name) => `${root}/${name}`),
    ])
    const fields = statOf(await cli.command(`ls -s ${root}`))
    expect(fields).toMatchObject({ cversion: '8', numChildren: '8' })
    expect(await cli.command(`ls ${root}/nothing`)).toEqual([
      `Node does not exist: ${root}/nothing`,
    ])
    expect(await cli.command('ls')).toContain('ls [-s] [-w] [-R] path')
  })

  it('gets data and Stats', async () => {
    expect(await cli.command(`get ${root}`)).toEqual(['hello'])
    expect(await cli.command(`get ${root}/null`)).toEqual(['null'])
    expect(await cli.command(`get ${root}/empty`)).toEqual([])
    const [data, ...lines] = await cli.command(`get -s ${root}`)
    const fields = statOf(lines)
    const { cZxid, ctime } = fields
    expect(data).toBe('hello')
    expect(Object.keys(fields)).toEqual([...stat.name, ...stat.size])
    expect(fields).toMatchObject({
      mZxid: cZxid,
      mtime: ctime,
      cversion: '8',
      dataVersion: '0',
      aclVersion: '0',
      ephemeralOwner: '0x0',
      dataLength: '5',
      numChildren: '8',
    })
    expect(statOf(await cli.command(`stat ${root}`))).toEqual(fields)
    const { ephemeralOwner } = statOf(await cli.command(`stat ${root}/eph`))
    expect(ephemeralOwner).toMatch(/^0x[1-9a-f][0-9a-f]*$/)
    // What marks containers and TTLs inside the server is not shown to clients.
    for (const name of ['box', 'ttl']) {
      const fields = statOf(await cli.command(`stat ${root}/${name}`))
      expect(fields).toMatchObject({ ephemeralOwner: '0x0' })
    }
    expect(await cli.command(`get ${root}/nothing`)).toEqual([
      `Node does not exist: ${root}/nothing`,
    ])
    expect(await cli.command(`stat ${root}/nothing`)).toEqual([
      `Node does not exist: ${root}/nothing`,
    ])
  })

  it('sets with and without a version', async () => {
    expect(await cli.command(`set ${root} one`)).toEqual([])
    expect(await cli.command(`set -v 7 ${root} no`)).toEqual([`version No is not valid : ${root}`])
    const fields = statOf(await cli.command(`set -s -v 1 ${root} two`))
    expect(fields).toMatchObject({ dataVersion: '2', dataLength: '3' })
    expect(await second.command(`get ${root}`)).toEqual(['two'])
    expect(await cli.command(`set ${root}/nothing x`)).toEqual([
      `Node does not exist: ${root}/nothing`,
    ])
  })

  it('shows a one-shot watch to the client that left it, once', async () => {
    expect(await second.command(`get -w ${root}`)).toEqual(['two'])
    const { mZxid } = statOf(await cli.command(`set -s ${root} three`))
    const event = await second.event('NodeDataChanged', root)
    // From 3.9 on, server and client both, an event names the transaction that set it off.
    const zxid = server.kind === 'apache-3.8' ? -1 : Number(mZxid)
    if (release === '3.9') expect(event).toMatch(new RegExp(` zxid: ${zxid}$`))
    await cli.command(`set ${root} four`)
    expect(await second.command(`get ${root}`)).toEqual(['four'])
    expect(second.eventCount('NodeDataChanged', root)).toBe(1)

    await second.command(`ls -w ${root}`)
    await cli.command(`create ${root}/kid k`)
    await second.event('NodeChildrenChanged', root)
    await second.command(`stat -w ${root}/kid`)
    await cli.command(`delete ${root}/kid`)
    await second.event('NodeDeleted', `${root}/kid`)
    expect(second.eventCount('NodeChildrenChanged', root)).toBe(1)
  })

  it('watches persistently, in both modes', async () => {
    const path = `${root}/watched`
    await cli.command(`create ${path} 0`)
    expect(await second.command(`addWatch -m PERSISTENT ${path}`)).toEqual([])
    await cli.command(`set ${path} 1`)
    await second.event('NodeDataChanged', path)
    await cli.command(`set ${path} 2`)
    await second.event('NodeDataChanged', path)
    await cli.command(`create ${path}/a 0`)
    await second.event('NodeChildrenChanged', path)
    await cli.command(`create ${path}/a/b 0`)

    const tree = `${root}/tree`
    await cli.command(`create ${tree} 0`)
    expect(await second.command(`addWatch -m PERSISTENT_RECURSIVE ${tree}`)).toEqual([])
    await cli.command(`create ${tree}/a 0`)
    await second.event('NodeCreated', `${tree}/a`)
    await cli.command(`create ${tree}/a/b 0`)
    await second.event('NodeCreated', `${tree}/a/b`)
    await cli.command(`set ${tree}/a/b 1`)
    await second.event('NodeDataChanged', `${tree}/a/b`)
    await cli.command(`delete ${tree}/a/b`)
    await second.event('NodeDeleted', `${tree}/a/b`)
    expect(second.eventCount('NodeCreated', `${path}/a/b`)).toBe(0)
    expect(second.eventCount('NodeChildrenChanged', tree)).toBe(0)
  })

  it('removes watches', async () => {
    const missing = `KeeperErrorCode = No such watcher for ${root}/watched`
    expect(await second.command(`removewatches ${root}/watched`)).toEqual([])
    await second.event('PersistentWatchRemoved', `${root}/watched`)
    expect(await second.command(`removewatches ${root}/watched`)).toEqual([missing])
    const count = second.eventCount('NodeDataChanged', `${root}/watched`)
    await cli.command(`set ${root}/watched 3`)
    expect(await second.command(`get -w ${root}/watched`)).toEqual(['3'])
    expect(second.eventCount('NodeDataChanged', `${root}/watched`)).toBe(count)
    expect(await second.command(`removewatches ${root}/watched -c`)).toEqual([missing])
    expect(await second.command(`removewatches ${root}/watched -d`)).toEqual([])
    await second.event('DataWatchRemoved', `${root}/watched`)
  })

  it('reads and sets ACLs', async () => {
    expect(await cli.command(`getAcl ${root}`)).toEqual(["'world,'anyone", ': cdrwa'])
    const path = `${root}/private`
    expect(await cli.command(`create ${path} p`)).toEqual([`Created ${path}`])
    expect(await cli.command(`setAcl ${path} auth::cdrwa`)).toEqual([`Acl is not valid : ${path}`])
    expect(await cli.command('addauth digest bob:secret')).toEqual([])
    expect(await cli.command(`setAcl ${path} auth::cdrwa,world:anyone:c`)).toEqual([])
    expect(await cli.command(`getAcl ${path}`)).toEqual([
      `'digest,'bob:${bobHash}`,
      ': cdrwa',
      "'world,'anyone",
      ': c',
    ])
    const fields = statOf(await cli.command(`getAcl -s ${path}`))
    expect(fields).toMatchObject({ aclVersion: '1' })
    expect(await cli.command(`setAcl -v 0 ${path} world:anyone:r`)).toEqual([
      `version No is not valid : ${path}`,
    ])

    const refused = `Insufficient permission : ${path}`
    expect(await second.command(`get ${path}`)).toEqual([refused])
    expect(await second.command(`set ${path} x`)).toEqual([refused])
    expect(await second.command(`getAcl ${path}`)).toEqual([refused])
    expect(await second.command(`create ${path}/c x`)).toEqual([`Created ${path}/c`])
    expect(await second.command(`delete ${path}/c`)).toEqual([refused.replace(path, `${path}/c`)])
    await cli.command(`setAcl ${path} auth::cdrwa,world:anyone:cr`)
    // Who may not administer the node does not see the hash.
    expect(await second.command(`getAcl ${path}`)).toContain("'digest,'bob:x")
  })

  it('knows the super user', async () => {
    await second.command('addauth digest super:test')
    expect(await second.command(`get ${root}/private`)).toEqual(['p'])
    expect(await second.command(`set ${root}/private q`)).toEqual([])
  })

  it('tells who it is', async () => {
    const lines = await cli.command('whoami')
    expect(lines).toContain('digest: bob')
    expect(lines).toContain('ip: 127.0.0.1')
  })

  it('counts with quotas', async () => {
    const path = `${root}/quota`
    await cli.command(`create ${path} four`)
    expect(await cli.command(`listquota ${path}`)).toContain(`quota for ${path} does not exist.`)
    expect(await cli.command(`setquota -n 3 ${path}`)).toEqual([])
    await cli.command(`create ${path}/a five5`)
    expect(await cli.command(`listquota ${path}`)).toEqual([
      `absolute path is /zookeeper/quota${path}/zookeeper_limits`,
      `Output quota for ${path} count=3,bytes=-1=;byteHardLimit=-1;countHardLimit=-1`,
      `Output stat for ${path} count=2,bytes=9`,
    ])
    expect(await cli.command(`setquota -B 100 ${path}`)).toEqual([])
    expect(await cli.command(`listquota ${path}`)).toContain(
      `Output quota for ${path} count=3,bytes=-1=;byteHardLimit=100;countHardLimit=-1`,
    )
    expect(await cli.command(`delquota -n ${path}`)).toEqual([])
    expect(await cli.command(`delquota ${path}`)).toEqual([])
    expect(await cli.command(`listquota ${path}`)).toContain(`quota for ${path} does not exist.`)
  })

  it('finds ephemerals and counts descendants', async () => {
    const own = [`${root}/eph`, `${root}/es-0000000002`]
    expect(namesOf(await cli.command('getEphemerals'))).toEqual(own)
    expect(namesOf(await cli.command(`getEphemerals ${root}/eph`))).toEqual([own[0]])
    expect(await second.command('getEphemerals')).toEqual(['[]'])
    await cli.command(`create ${root}/counted 0`)
    await cli.command(`create ${root}/counted/a 0`)
    await cli.command(`create ${root}/counted/a/b 0`)
    expect(await cli.command(`getAllChildrenNumber ${root}/counted`)).toEqual(['2'])
  })

  it('synchronizes, tells its version and the configuration', async () => {
    expect(await cli.command(`sync ${root}`)).toEqual(['Sync is OK'])
    expect((await cli.command('version'))[0]).toMatch(/^ZooKeeper CLI version: 3\.[89]\./)
    expect(await cli.command('config')).toEqual([])
    expect(await cli.command('reconfig -remove 1')).toEqual([
      'KeeperErrorCode = Reconfig is disabled',
    ])
  })

  it('deletes one and all', async () => {
    expect(await cli.command(`delete ${root}/counted`)).toEqual([`Node not empty: ${root}/counted`])
    expect(await cli.command(`delete -v 5 ${root}/counted/a/b`)).toEqual([
      `version No is not valid : ${root}/counted/a/b`,
    ])
    expect(await cli.command(`delete -v 0 ${root}/counted/a/b`)).toEqual([])
    expect(await cli.command(`delete ${root}/nothing`)).toEqual([
      `Node does not exist: ${root}/nothing`,
    ])
    expect(await cli.command(`deleteall ${root}`)).toEqual([])
    expect(await cli.command(`get ${root}`)).toEqual([`Node does not exist: ${root}`])
  })

  it('leaves: the ephemerals of a closed session are gone at once', async () => {
    await cli.command(`create -e ${root}-eph e`)
    expect(await second.command(`stat -w ${root}-eph`)).not.toEqual([])
    expect(await cli.quit()).toBe(0)
    await second.event('NodeDeleted', `${root}-eph`)
  })

  it('serves one command a run', async () => {
    const good = await runZkCli(release, server.connectString, ['ls', '/zookeeper'])
    expect([good.code, good.stdout]).toEqual([0, expect.stringContaining('[config, quota]')])
    const bad = await runZkCli(release, server.connectString, ['get', '/nothing'])
    expect([bad.code, bad.stderr]).toEqual([1, expect.stringContaining('Node does not exist')])
  })
})

describe('zkCli of 3.4', () => {
  const root = '/cli-3.4'
  let cli: ZkCli
  let second: ZkCli

  beforeAll(async () => {
    cli = await open('3.4')
    second = await open('3.4')
  })

  it('creates, lists, gets, sets and deletes', async () => {
    expect(await cli.command(`create ${root} hello`)).toEqual([`Created ${root}`])
    expect(await cli.command(`create ${root} x`)).toEqual([`Node already exists: ${root}`])
    expect(await cli.command(`create -e ${root}/eph e`)).toEqual([`Created ${root}/eph`])
    expect(await cli.command(`create -s ${root}/seq- s`)).toEqual([
      `Created ${root}/seq-0000000001`,
    ])
    expect(await cli.command(`create -e -s ${root}/es- s`)).toEqual([
      `Created ${root}/es-0000000002`,
    ])
    const names = ['eph', 'es-0000000002', 'seq-0000000001']
    expect(namesOf(await cli.command(`ls ${root}`))).toEqual(names)
    const listed = await cli.command(`ls2 ${root}`)
    expect(namesOf(listed)).toEqual(names)
    expect(statOf(listed)).toMatchObject({ cversion: '3', numChildren: '3', dataLength: '5' })
    const [data, ...lines] = await cli.command(`get ${root}`)
    expect(data).toBe('hello')
    expect(Object.keys(statOf(lines))).toEqual([...stat.name, ...stat.size])
    expect(statOf(await cli.command(`set ${root} one`))).toMatchObject({ dataVersion: '1' })
    expect(await cli.command(`set ${root} no 7`)).toEqual([`version No is not valid : ${root}`])
    expect(await cli.command(`delete ${root}`)).toEqual([`Node not empty: ${root}`])
    expect(await cli.command(`delete ${root}/seq-0000000001`)).toEqual([])
    expect(await cli.command(`get ${root}/nothing`)).toEqual([
      `Node does not exist: ${root}/nothing`,
    ])
  })

  it('watches with the old syntax, across clients', async () => {
    await second.command(`get ${root} watch`)
    await cli.command(`set ${root} two`)
    await second.event('NodeDataChanged', root)
    await second.command(`ls ${root} watch`)
    await cli.command(`create ${root}/kid k`)
    await second.event('NodeChildrenChanged', root)
    await second.command(`stat ${root}/kid watch`)
    await cli.command(`delete ${root}/kid`)
    await second.event('NodeDeleted', `${root}/kid`)
    await cli.command(`set ${root} three`)
    expect((await second.command(`get ${root}`))[0]).toBe('three')
    expect(second.eventCount('NodeDataChanged', root)).toBe(1)
  })

  it('authenticates, and reads and sets ACLs', async () => {
    const path = `${root}/private`
    expect(await cli.command('addauth digest bob:secret')).toEqual([])
    await cli.command(`create ${path} p`)
    const fields = statOf(await cli.command(`setAcl ${path} auth:bob:cdrwa`))
    expect(fields).toMatchObject({ aclVersion: '1' })
    expect(await cli.command(`getAcl ${path}`)).toEqual([`'digest,'bob:${bobHash}`, ': cdrwa'])
    expect(await second.command(`get ${path}`)).toEqual([`Authentication is not valid : ${path}`])
  })

  it('sets quotas, synchronizes and removes recursively', async () => {
    await cli.command(`setquota -n 3 ${root}`)
    const lines = await cli.command(`listquota ${root}`)
    expect(lines).toContain(`Output quota for ${root} count=3,bytes=-1`)
    await cli.command(`delquota -n ${root}`)
    await cli.command(`delquota ${root}`)
    await cli.command(`sync ${root}`)
    await cli.printed('Sync returned 0') // It does not wait for the answer itself.
    await cli.command(`rmr ${root}`)
    expect(namesOf(await cli.command('ls /'))).not.toContain(root.slice(1))
  })

  it('leaves: the ephemerals of a closed session are gone at once', async () => {
    await cli.command(`create -e ${root}-eph e`)
    await second.command(`stat ${root}-eph watch`)
    expect(await cli.quit()).toBe(0)
    await second.event('NodeDeleted', `${root}-eph`)
  })
})

describe('a standalone server with reconfigEnabled', () => {
  it('refuses reconfig as unimplemented', async () => {
    const own = await startServer({ config: { reconfigEnabled: 'true' } })
    try {
      const result = await runZkCli('debian', own.connectString, ['reconfig', '-remove', '1'])
      expect([result.code, result.stderr]).toEqual([1, expect.stringContaining('Unimplemented')])
    } finally {
      await own.stop()
    }
  })
})
