/** Apache Curator's recipes, two clients of one server, through a restart and a lost session. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mavenClasspath } from './harness/maven.ts'
import { type StartOptions, startServer, type TestServer } from './harness/server.ts'
import { compileJava, JavaProgram } from './java/java-program.ts'

/** The newest Curator, which brings the ZooKeeper client 3.9.3. */
const curatorVersion = '5.9.0'

const checks = [
  'create',
  'containerParents',
  'ttl',
  'transaction',
  'acl',
  'persistentWatcher',
  'removeWatcher',
  'groupMember',
  'deleteChildren',
  'mutex',
  'readWriteLock',
  'semaphore',
  'leaderLatch',
  'doubleBarrier',
  'curatorCache',
  'nodeCache',
  'pathChildrenCache',
  'treeCache',
  'atomicLong',
  'sharedCount',
  'queue',
]
const sessionChecks = ['holdLock', 'lockAfterRestart', 'lockAfterExpiry']

/** TTL nodes are off by default, and the reaper comes once a minute, too seldom for a test. */
const serverOptions: StartOptions = {
  jvmFlags: '-Dzookeeper.extendedTypesEnabled=true -Dznode.container.checkIntervalMs=500',
}

describe(`Curator ${curatorVersion}`, () => {
  let server: TestServer
  let walk: JavaProgram
  let offered: string

  const check = async (name: string): Promise<void> => {
    console.log(`${name}: ${await walk.ask(name)}`)
  }

  beforeAll(async () => {
    const jars = await mavenClasspath([
      `org.apache.curator:curator-recipes:${curatorVersion}`,
      'org.slf4j:slf4j-simple:1.7.25',
    ])
    const folder = join(import.meta.dirname, 'java/curator')
    const sources = (await readdir(folder)).filter((name) => name.endsWith('.java'))
    const classPath = await compileJava(
      sources.map((name) => join(folder, name)),
      jars,
    )
    server = await startServer(serverOptions)
    walk = new JavaProgram({ classPath, mainClass: 'CuratorWalk', args: [server.connectString] })
    offered = await walk.expectOk('start')
  })

  afterAll(async () => {
    walk?.kill('SIGKILL')
    await server?.stop()
  })

  it('is asked for every check that the program knows', () => {
    expect([...checks, ...sessionChecks]).toEqual(offered.split(' '))
  })

  it.each(checks)('%s', check)

  it('keeps a lock through a restart of the server', async () => {
    await check('holdLock')
    await server.stop()
    const { port, dataDir } = server
    server = await startServer({ ...serverOptions, port, dataDir })
    await check('lockAfterRestart')
  })

  it('loses a lock with its session and recovers it with the next', async () => {
    await check('lockAfterExpiry')
  })

  it('lets the program end in order', async () => {
    expect(await walk.finish()).toBe(0)
  })
})
