/** Kafka brokers in ZooKeeper mode as plain processes, one directory each, and a probe that asks them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mavenClasspath } from '../harness/maven.ts'
import { killGroup, track } from '../harness/process.ts'
import { freePort, scratchDirectory } from '../harness/server.ts'
import { compileJava, JavaProgram, leanJvmFlags } from '../java/java-program.ts'

export interface BrokerOptions {
  readonly id: number
  readonly port: number
  readonly zooKeeperConnect: string
  readonly sessionTimeoutMs: number
  readonly classPath: string
  /** Holds the broker's configuration, its log and its data. */
  readonly directory: string
}

/**
 * Small where the size is not the point (one network thread, one partition of offsets, no log
 * cleaner, whose buffer alone is 128 MB), and otherwise as a cluster of three is run: every topic
 * on all brokers, a write on at least two.
 */
function serverProperties(options: BrokerOptions): string {
  const properties = {
    'broker.id': options.id,
    listeners: `PLAINTEXT://127.0.0.1:${options.port}`,
    'log.dirs': join(options.directory, 'data'),
    'zookeeper.connect': options.zooKeeperConnect,
    'zookeeper.session.timeout.ms': options.sessionTimeoutMs,
    'zookeeper.connection.timeout.ms': 30_000,
    'auto.create.topics.enable': false,
    'min.insync.replicas': 2,
    'offsets.topic.num.partitions': 1,
    'offsets.topic.replication.factor': 3,
    'group.initial.rebalance.delay.ms': 0,
    'num.network.threads': 1,
    'num.io.threads': 2,
    'background.threads': 1,
    'log.cleaner.enable': false,
  }
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

export class Broker {
  readonly id: number
  readonly port: number
  readonly #options: BrokerOptions
  #child: ChildProcess | undefined
  #exited: Promise<void> = Promise.resolve()

  constructor(options: BrokerOptions) {
    this.id = options.id
    this.port = options.port
    this.#options = options
  }

  /** Starts the process; that the broker works is for the caller to see, from its znode. */
  async start(): Promise<void> {
    const { directory, classPath } = this.#options
    await mkdir(directory, { recursive: true })
    const configFile = join(directory, 'server.properties')
    await writeFile(configFile, serverProperties(this.#options))
    const log = openSync(this.#logFile, 'a')
    const command = [...leanJvmFlags, '-Xmx256m', '-cp', classPath, 'kafka.Kafka', configFile]
    const child = spawn('java', command, { detached: true, stdio: ['ignore', log, log] })
    closeSync(log)
    track(child)
    this.#child = child
    this.#exited = new Promise((resolve) => {
      const end = (): void => {
        this.#child = undefined
        resolve()
      }
      child.once('error', end)
      child.once('exit', end)
    })
  }

  /** SIGTERM is Kafka's controlled shutdown, SIGKILL the crash. Resolves when the process is gone. */
  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.#child !== undefined) killGroup(this.#child, signal)
    await this.#exited
  }

  /** The last lines of the broker's log, for a failed test's report. */
  async logTail(lines: number): Promise<string> {
    const log = await readFile(this.#logFile, 'utf8').catch(() => '')
    return log.split('\n').slice(-lines).join('\n')
  }

  get #logFile(): string {
    return join(this.#options.directory, 'broker.log')
  }
}

export interface KafkaOptions {
  readonly version: string
  readonly zooKeeperConnect: string
  readonly sessionTimeoutMs: number
  readonly brokerIds: readonly number[]
}

/** Brokers of one cluster, and the probe that is connected to them and to their ZooKeeper. */
export class KafkaCluster {
  readonly brokers: readonly Broker[]
  readonly probe: JavaProgram

  private constructor(brokers: readonly Broker[], probe: JavaProgram) {
    this.brokers = brokers
    this.probe = probe
  }

  /** The processes are started; whether they work is for the caller to see. */
  static async start(options: KafkaOptions): Promise<KafkaCluster> {
    const { version, zooKeeperConnect, sessionTimeoutMs, brokerIds } = options
    const jars = await mavenClasspath([
      `org.apache.kafka:kafka_2.13:${version}`,
      'org.slf4j:slf4j-simple:1.7.36',
    ])
    const classPath = await compileJava([join(import.meta.dirname, 'KafkaProbe.java')], jars)
    const ports = await Promise.all(brokerIds.map(freePort))
    const brokers = brokerIds.map((id, index) => {
      const directory = scratchDirectory(`kafka-${id}`)
      const port = ports[index] ?? 0
      return new Broker({
        id,
        port,
        zooKeeperConnect,
        sessionTimeoutMs,
        classPath: jars,
        directory,
      })
    })
    for (const broker of brokers) await broker.start()
    const probe = new JavaProgram({
      classPath,
      mainClass: 'KafkaProbe',
      args: [zooKeeperConnect, ports.map((port) => `127.0.0.1:${port}`).join(',')],
      jvmFlags: ['-Xmx128m', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'],
    })
    await probe.expectOk('start')
    return new KafkaCluster(brokers, probe)
  }

  broker(id: number): Broker {
    const broker = this.brokers.find((candidate) => candidate.id === id)
    if (broker === undefined) throw new Error(`there is no broker ${id}`)
    return broker
  }

  /** A failed step is explained by the brokers more often than by the assertion. */
  async report(): Promise<string> {
    const tails = this.brokers.map(
      async (broker) => `broker ${broker.id} said last:\n${await broker.logTail(30)}`,
    )
    return [...(await Promise.all(tails)), `the probe complained:\n${this.probe.stderr}`].join('\n')
  }

  async kill(): Promise<void> {
    this.probe.kill('SIGKILL')
    await Promise.all(this.brokers.map((broker) => broker.stop('SIGKILL')))
  }
}
