/** Kafka brokers in ZooKeeper mode as plain processes, one directory each, for kafka.test.ts. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { killGroup, track } from '../harness/process.ts'
import { leanJvmFlags } from '../java/java-program.ts'

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
