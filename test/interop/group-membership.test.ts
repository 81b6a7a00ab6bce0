/** The group membership programs known from books on ZooKeeper, with its oldest client and newest. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mavenClasspath, versions } from './harness/maven.ts'
import { startServer, type TestServer } from './harness/server.ts'
import { compileJava, JavaProgram } from './java/java-program.ts'

const tickTimeMs = 2000
const sessionTimeoutMs = 5000
/** What a busy machine may add until the watcher has printed its line. */
const graceMs = 1000

const clients = [
  [versions.zookeeper34, []],
  [versions.zookeeper39, ['org.slf4j:slf4j-simple:2.0.13']],
] as const

describe.each(clients)('group membership with the Java client %s', (version, logging) => {
  let server: TestServer
  let classPath: string
  const members = new Map<string, JavaProgram>()
  const started: JavaProgram[] = []

  const start = (mainClass: string, ...args: string[]): JavaProgram => {
    const programArgs = [server.connectString, 'zoo', ...args]
    const program = new JavaProgram({ classPath, mainClass, args: programArgs })
    started.push(program)
    return program
  }

  /** Runs a program to its end: its lines, and at last its exit code. */
  const outcome = async (mainClass: string): Promise<(string | number)[]> => {
    const program = start(mainClass)
    const lines: string[] = []
    for (let line = await program.nextLine(); line !== undefined; line = await program.nextLine())
      lines.push(line)
    return [...lines, await program.exited]
  }

  beforeAll(async () => {
    const jars = await mavenClasspath([`org.apache.zookeeper:zookeeper:${version}`, ...logging])
    const folder = join(import.meta.dirname, 'java/group')
    const sources = (await readdir(folder)).filter((name) => name.endsWith('.java'))
    classPath = await compileJava(
      sources.map((name) => join(folder, name)),
      jars,
    )
    server = await startServer({ config: { tickTime: String(tickTimeMs) } })
  })

  afterAll(async () => {
    for (const program of started) program.kill('SIGKILL')
    await Promise.all(started.map((program) => program.exited))
    await server?.stop()
  })

  it('creates a group once', async () => {
    expect(await outcome('ListGroup')).toEqual(['there is no group zoo', 1])
    expect(await outcome('CreateGroup')).toEqual(['created /zoo', 0])
    expect(await outcome('CreateGroup')).toEqual(['group zoo exists', 1])
    expect(await outcome('ListGroup')).toEqual(['group zoo has no members', 0])
  })

  it('lists the members that joined', async () => {
    for (const name of ['duck', 'cow', 'goat']) {
      const member = start('JoinGroup', name, String(sessionTimeoutMs))
      members.set(name, member)
      expect(await member.nextLine()).toBe(`joined as /zoo/${name}`)
    }
    expect(await outcome('ListGroup')).toEqual(['cow', 'duck', 'goat', 0])
  })

  let watcher: JavaProgram

  it('misses a killed member only after its session timeout', async () => {
    watcher = start('WatchGroup')
    expect(await watcher.nextLine()).toBe('members: cow duck goat')
    const killedAtMs = performance.now()
    members.get('goat')?.kill('SIGKILL')
    expect(await watcher.nextLine(4 * sessionTimeoutMs)).toBe('members: cow duck')
    const goneMs = Math.round(performance.now() - killedAtMs)
    console.log(`client ${version}: the member was gone ${goneMs} ms after kill -9`)
    // The last ping may be a third of the timeout old; but a closed connection ends no session.
    expect(goneMs).toBeGreaterThan(sessionTimeoutMs / 2)
    expect(goneMs).toBeLessThanOrEqual(sessionTimeoutMs + tickTimeMs + graceMs)
  })

  it('misses a member that leaves in order at once', async () => {
    expect(await members.get('duck')?.finish()).toBe(0)
    expect(await watcher.nextLine(sessionTimeoutMs / 2)).toBe('members: cow')
  })

  it('deletes the group with the member that is still in it', async () => {
    expect(await outcome('DeleteGroup')).toEqual(['deleted zoo', 0])
    let line = await watcher.nextLine()
    // One watch, two deletions: the watcher may have looked between them.
    if (line === 'members: ') line = await watcher.nextLine()
    expect(line).toBe('group zoo is gone')
    expect(await outcome('ListGroup')).toEqual(['there is no group zoo', 1])
    expect(await outcome('DeleteGroup')).toEqual(['there is no group zoo', 1])
  })
})
