import { chmodSync, copyFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../../support/ports.ts'
import { mavenClasspath, versions, zookeeper39Coords } from '../harness/maven.ts'
import { run } from '../harness/process.ts'
import { ensureBuilt, repositoryRoot } from '../harness/repository.ts'
import { debianClasspath, type ServerKind, scratchDirectory } from '../harness/server.ts'

export interface Outcome {
  /** As pytest names it, from kazoo's folder of tests. */
  readonly id: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  readonly why: string
}

export interface SuiteRun {
  readonly outcomes: ReadonlyMap<string, Outcome>
  readonly seconds: number
  /** What pytest printed. */
  readonly output: string
  /** What our servers printed; empty for Apache's, which print into pytest's capture. */
  readonly serverLog: string
}

const PYTHON = '/usr/bin/python3'
const SUITE_MS = 900_000
const ONE_TEST_SECONDS = 120
const ownFolder = join(repositoryRoot, 'test/interop/kazoo')

/** kazoo's harness gives each of its servers four ports, ten apart. */
const PORTS_EACH = 10

/**
 * Runs kazoo's own tests, or those with the given ids, against servers of a kind that kazoo's own
 * harness starts, configures and stops: one, or an ensemble.
 */
export async function runKazooSuite(
  kind: ServerKind,
  ids: readonly string[] = [],
  servers = 1,
): Promise<SuiteRun> {
  const home = scratchDirectory(`kazoo-${kind}`)
  const outcomesPath = join(home, 'outcomes.jsonl')
  const serverLog = join(home, 'server.log')
  const folder = await testsFolder()
  const args = ['-B', '-m', 'pytest', '-p', 'no:cacheprovider', '-p', 'outcomes', '-q', '-rs']
  args.push('--rootdir', folder, `--timeout=${ONE_TEST_SECONDS}`)
  args.push(...(ids.length === 0 ? [folder] : ids.map((id) => join(folder, id))))
  const startMs = Date.now()
  const result = await run(PYTHON, args, {
    cwd: home,
    timeoutMs: SUITE_MS,
    env: {
      ...(await serverEnvironment(kind, home)),
      PYTHONPATH: ownFolder,
      INTEROP_OUTCOMES: outcomesPath,
      INTEROP_SERVER_LOG: serverLog,
      ZOOKEEPER_CLUSTER_SIZE: String(servers),
      ZOOKEEPER_PORT_OFFSET: String(await freePorts(servers * PORTS_EACH)),
      ZOOKEEPER_JAAS_AUTH: undefined,
      TRAVIS: undefined,
    },
  })
  const output = result.stdout + result.stderr
  // 0: all passed, 1: some failed. Anything else means that pytest itself went wrong.
  if (result.code !== 0 && result.code !== 1) throw new Error(`pytest: ${result.code}\n${output}`)
  return {
    outcomes: readOutcomes(outcomesPath),
    seconds: Math.round((Date.now() - startMs) / 1000),
    output,
    serverLog: existsSync(serverLog) ? readFileSync(serverLog, 'utf8') : '',
  }
}

async function testsFolder(): Promise<string> {
  const script = 'import kazoo.tests; print(kazoo.tests.__path__[0])'
  const result = await run(PYTHON, ['-B', '-c', script])
  if (result.code !== 0) throw new Error(`kazoo and its tests are missing: ${result.stderr}`)
  return result.stdout.trim()
}

/** How kazoo's harness finds the server: a class path for the real `java`, or our own `java`. */
async function serverEnvironment(kind: ServerKind, home: string): Promise<Record<string, string>> {
  if (kind === 'apache-3.8') {
    return { ZOOKEEPER_CLASSPATH: debianClasspath, ZOOKEEPER_VERSION: '3.8.0' }
  }
  if (kind === 'apache-3.9') {
    const classpath = await mavenClasspath(zookeeper39Coords)
    return { ZOOKEEPER_CLASSPATH: classpath, ZOOKEEPER_VERSION: versions.zookeeper39 }
  }
  await ensureBuilt()
  const java = join(home, 'java')
  copyFileSync(join(ownFolder, 'java.sh'), java)
  chmodSync(java, 0o755)
  const { PATH = '' } = process.env
  return {
    PATH: `${home}:${PATH}`,
    INTEROP_NODE: process.execPath,
    INTEROP_ZK_SERVER: join(repositoryRoot, 'bin/zk-server'),
    // No jar is there, so the real `java` could not serve by mistake.
    ZOOKEEPER_CLASSPATH: join(home, 'nothing.jar'),
    ZOOKEEPER_VERSION: versions.zookeeper39,
  }
}

function readOutcomes(path: string): Map<string, Outcome> {
  const outcomes = new Map<string, Outcome>()
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '') continue
    const outcome: Outcome = JSON.parse(line)
    outcomes.set(outcome.id, outcome)
  }
  return outcomes
}
