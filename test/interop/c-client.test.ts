import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Child, run, startChild } from './harness/process.ts'
import { repositoryRoot } from './harness/repository.ts'
import { scratchDirectory, startServer, type TestServer } from './harness/server.ts'

// Debian installs it outside the PATH.
const CLI = '/usr/lib/zookeeper/bin/cli_mt'
const JVM_FLAGS = '-Dzookeeper.extendedTypesEnabled=true'

let server: TestServer
const children: Child[] = []

beforeAll(async () => {
  server = await startServer({ jvmFlags: JVM_FLAGS })
})

afterAll(async () => {
  for (const child of children) await child.kill()
  await server?.stop()
})

interface Cli {
  /** Sends a command and resolves with what came up to the match; output before it is skipped. */
  ask(line: string, pattern: RegExp | string): Promise<string>
  /** Resolves with what comes from now on up to the match. */
  next(pattern: RegExp | string): Promise<string>
  readonly child: Child
}

async function openCli(): Promise<Cli> {
  const child = startChild(CLI, ['-h', server.connectString])
  children.push(child)
  await child.waitFor('state = CONNECTED_STATE')
  let read = child.output().length
  const next = async (pattern: RegExp | string): Promise<string> => {
    const printed = await child.waitFor(pattern, { from: read })
    read += printed.length
    return printed
  }
  return {
    child,
    next,
    ask: async (line, pattern) => {
      child.send(line)
      return await next(pattern)
    },
  }
}

/** Runs one command in a cli_mt of its own and returns all it printed. */
async function batch(command: string): Promise<string> {
  const result = await run(CLI, ['-h', server.connectString, '-c', command])
  expect(result.code).toBe(0)
  return result.stdout + result.stderr
}

describe('cli_mt', () => {
  let cli: Cli
  let second: Cli

  beforeAll(async () => {
    cli = await openCli()
    second = await openCli()
  })

  it('creates nodes of every mode', async () => {
    await cli.ask('create /c', '[/c]: rc = 0\n\tname = /c\n')
    await cli.ask('create /c', '[/c]: rc = -110\n')
    await cli.ask('create +e /c/eph', '\tname = /c/eph\n')
    await cli.ask('create +s /c/seq', '\tname = /c/seq0000000001\n')
    await cli.ask('create +es /c/es', '\tname = /c/es0000000002\n')
    await cli.ask('create +c /c/box', '\tname = /c/box\n')
    await cli.ask('create +t=600000 /c/ttl', '\tname = /c/ttl\n')
    await cli.ask('create +st=600000 /c/ttls', '\tname = /c/ttls0000000005\n')
    const two = await cli.ask('create2 /c/two', /ephemeralOwner = 0\n/)
    expect(two).toContain('\tname = /c/two\n')
    expect(two).toContain('\tversion=0\taversion=0\n')
    await cli.ask('create /c/no/parent', '[/c/no/parent]: rc = -101\n')
    await cli.ask('create /c/eph/child', '[/c/eph/child]: rc = -108\n')
  })

  it('lists, gets, sets, synchronizes and tells whether a node exists', async () => {
    const names = ['box', 'eph', 'es0000000002', 'seq0000000001', 'ttl', 'ttls0000000005', 'two']
    for (const command of ['ls', 'ls2']) {
      const listed = await cli.ask(`${command} /c`, /\/c: rc = 0\n(\t\w+\n){7}/)
      expect([...listed.matchAll(/^\t([a-z]+\d*)$/gm)].map((match) => match[1]).sort()).toEqual(
        names,
      )
    }
    await cli.ask('get /c', / value_len = 3\nnew\nStat:\n[\s\S]*ephemeralOwner = 0\n/)
    await cli.ask('set /c one', /\tversion=1\taversion=0\n/)
    await cli.ask('set /nothing x', '/nothing: rc = -101')
    await cli.ask('get /nothing', '/nothing: rc = -101')
    await cli.ask('exists /nothing', 'Error -101 for /nothing')
    await cli.ask('sync /c', '[/c]: rc = 0\n\tname = /c\n')
    await cli.ask('get /c/eph', /\/c\/eph: rc = 0\n[\s\S]*ephemeralOwner = [1-9a-f][0-9a-f]*\n/)
  })

  it('works with asynchronous calls', async () => {
    await cli.ask('acreate /c/async', '\tname = /c/async\n')
    await cli.ask('aset /c/async x', /\/c\/async: rc = 0 Stat:[\s\S]*version=1\taversion=0\n/)
    await cli.ask('aget /c/async', /\/c\/async: rc = 0\n value_len = 1\nx\n/)
    await cli.ask('als /c/async', '/c/async: rc = 0\n')
    await cli.ask('adelete /c/async', '/c/async: rc = 0\n')
    await cli.ask('async /c', '[/c]: rc = 0\n\tname = /c\n')
  })

  it('sees the changes of another client through its watches', async () => {
    const event = (name: string, path: string): string =>
      `Watcher ${name} state = CONNECTED_STATE for path ${path}\n`
    // This client always watches what it gets, lists or asks for.
    await second.ask('get /c', ' value_len = 3\none\n')
    await cli.ask('set /c two', /\tversion=2\t/)
    await second.next(event('CHANGED_EVENT', '/c'))
    await second.ask('wexists /c/later', 'Error -101 for /c/later')
    await cli.ask('create /c/later', '\tname = /c/later\n')
    await second.next(event('CREATED_EVENT', '/c/later'))
    await second.ask('ls /c/later', '/c/later: rc = 0\n')
    await cli.ask('create /c/later/kid', '\tname = /c/later/kid\n')
    await second.next(event('CHILD_EVENT', '/c/later'))
    await second.ask('get /c/later/kid', ' value_len = 3\nnew\n')
    await cli.ask('delete /c/later/kid', '/c/later/kid: rc = 0\n')
    await second.next(event('DELETED_EVENT', '/c/later/kid'))
  })

  it('authenticates, is refused what a client may not, and reads the configuration', async () => {
    cli.child.send('addauth digest bob:secret')
    await cli.ask('get /c/two', ' value_len = 3\nnew\n')
    await cli.ask('reconfig -remove 1', '-remove 1: rc = -123')
    const config = await cli.ask('config', /config: rc = 0\n[\s\S]*ephemeralOwner = 0\n/)
    expect(config).toContain('/zookeeper/config: rc = 0\n value_len = 0\n')
    expect(config).toContain('\tversion=0\taversion=ffffffff\n')
    await cli.ask('set /zookeeper/config x', '/zookeeper/config: rc = -102')
    await cli.ask('delete /zookeeper', '/zookeeper: rc = -8')
    // A scheme that the server does not know ends the session.
    await second.ask('addauth nosuch bob:secret', 'state = AUTH_FAILED_STATE')
    // cli_mt now closes its handle from its watcher; an end of its input in that moment makes it
    // close it twice and wait for itself for ever, with Apache's server as with ours.
    await second.child.kill('SIGKILL')
  })

  it('deletes', async () => {
    await cli.ask('delete /c', '/c: rc = -111\n')
    await cli.ask('delete /c/seq0000000001', '/c/seq0000000001: rc = 0\n')
    await cli.ask('delete /c/seq0000000001', '/c/seq0000000001: rc = -101\n')
  })

  it('takes its ephemerals with it', async () => {
    cli.child.send('quit')
    expect(await cli.child.exited).toBe(0)
    expect(await batch('get /c/eph')).toContain('/c/eph: rc = -101')
  })
})

describe('a program on the C client', () => {
  it('finds transactions, ACLs, and watches that outlive a restart', async () => {
    const program = join(scratchDirectory('c-probe'), 'probe')
    const source = join(repositoryRoot, 'test/interop/c-client/probe.c')
    const flags = ['-Wall', '-Werror', '-DTHREADED', '-o', program, source]
    const compiled = await run('cc', [...flags, '-lzookeeper_mt', '-lpthread'])
    expect(compiled, 'needs gcc and libzookeeper-mt-dev').toMatchObject({ code: 0 })

    const probe = startChild(program, [server.connectString])
    children.push(probe)
    await probe.waitFor('ready for the restart')
    const { port, dataDir } = server
    await server.stop()
    server = await startServer({ port, dataDir, jvmFlags: JVM_FLAGS })
    expect(await batch('create /news')).toContain('rc = 0')
    probe.send('go on')
    expect(await probe.exited).toBe(0)
    const hash = createHash('sha1').update('bob:secret').digest('base64')
    expect(probe.output().trimEnd().split('\n')).toEqual([
      'connected',
      'create 0',
      'multi 0: 0 0 0 0 0 /probe/a /probe/s-0000000001 version=1',
      'multi -103: 0 -103 -2 exists -101 0',
      'setAcl without identity -114',
      'addAuth 0',
      'setAcl 0',
      `getAcl 0 aversion=1 world:anyone:1 digest:bob:${hash}:31`,
      'removeWatches 0 again -121',
      'create2 with a TTL 0 /probe/ttl dataLength=1 created /probe/ttl',
      'ready for the restart',
      'after the restart: created /news, the session lives, its ephemeral 0',
      'close 0',
    ])
  })
})
