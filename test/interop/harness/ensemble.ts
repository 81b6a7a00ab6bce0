import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../../support/ports.ts'
import { until } from '../../support/until.ts'
import { WireClient } from '../../support/wire-client.ts'
import { Member } from './ensemble-member.ts'
import { Network } from './network.ts'
import { type ServerKind, scratchDirectory } from './server.ts'

export interface EnsembleOptions {
  /** Of the members 1, 2, ... in this order. */
  readonly kinds: readonly ServerKind[]
  /** Lines of zoo.cfg over the defaults here; the same for all. */
  readonly config?: Readonly<Record<string, string>>
  /** `-Dzookeeper.X=…` and, for Apache's, options of the JVM; the same for all. */
  readonly jvmFlags?: string
  /** The JVMs get no flags that make them start fast and stay small. */
  readonly isTimed?: boolean
  /** With a network that can be cut, and that sees how learners are synchronised. */
  readonly cuttable?: boolean
}

const PORTS_EACH = 3
const ROLES_MS = 60_000
const SETTLE_MS = 60_000
const leanFlags = '-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xmx256m'

/** Servers of any kinds that know each other, all of this host; none runs until `start`. */
export class Ensemble {
  readonly members: readonly Member[]
  readonly #network: Network | undefined

  private constructor(members: readonly Member[], network: Network | undefined) {
    this.members = members
    this.#network = network
  }

  static async create(options: EnsembleOptions): Promise<Ensemble> {
    const first = await freePorts(options.kinds.length * PORTS_EACH)
    const endpoints = options.kinds.map((kind, index) => {
      const port = first + index * PORTS_EACH
      return { sid: index + 1, kind, port, quorumPort: port + 1, electionPort: port + 2 }
    })
    const network = options.cuttable === true ? await Network.create(endpoints) : undefined
    const home = scratchDirectory('ensemble')
    const flags = options.isTimed === true ? [] : [leanFlags]
    const jvmFlags = [...flags, options.jvmFlags ?? ''].join(' ')
    const members = endpoints.map((self) => {
      const folder = join(home, `member-${self.sid}`)
      const dataDir = join(folder, 'data')
      mkdirSync(dataDir, { recursive: true })
      writeFileSync(join(dataDir, 'myid'), `${self.sid}\n`)
      const config: Record<string, string> = {
        tickTime: '2000',
        initLimit: '10',
        syncLimit: '5',
        dataDir,
        clientPort: String(self.port),
        maxClientCnxns: '0',
        'admin.enableServer': 'false',
        '4lw.commands.whitelist': '*',
        ...options.config,
      }
      for (const peer of endpoints) {
        const portOf = (name: 'quorum' | 'election', own: number): number =>
          peer === self || network === undefined ? own : network.port(self.sid, peer.sid, name)
        const quorum = portOf('quorum', peer.quorumPort)
        const election = portOf('election', peer.electionPort)
        config[`server.${peer.sid}`] = `127.0.0.1:${quorum}:${election}`
      }
      const configPath = join(folder, 'zoo.cfg')
      const lines = Object.entries(config).map(([key, value]) => `${key}=${value}\n`)
      writeFileSync(configPath, lines.join(''))
      return new Member({ ...self, folder, dataDir, configPath, jvmFlags })
    })
    return new Ensemble(members, network)
  }

  get network(): Network {
    if (this.#network === undefined) throw new Error('the ensemble has no network to cut')
    return this.#network
  }

  member(sid: number): Member {
    const member = this.members[sid - 1]
    if (member === undefined) throw new Error(`there is no member ${sid}`)
    return member
  }

  get running(): readonly Member[] {
    return this.members.filter((member) => member.isRunning)
  }

  /** `127.0.0.1:p1,127.0.0.1:p2,...`, as clients take it. */
  get connectString(): string {
    return this.members.map((member) => `127.0.0.1:${member.port}`).join(',')
  }

  /** Client ports of all members, running or not. */
  get ports(): readonly number[] {
    return this.members.map((member) => member.port)
  }

  /** Starts these members (default: all) at once and resolves when all that run have their roles. */
  async start(...sids: readonly number[]): Promise<Member> {
    const members = sids.length === 0 ? this.members : sids.map((sid) => this.member(sid))
    await Promise.all(members.map((member) => member.start()))
    return await this.untilRoles()
  }

  /** Resolves with the leader once one of the running members leads and all the others follow it. */
  async untilRoles(): Promise<Member> {
    let seen = ''
    const look = async (): Promise<Member | undefined> => {
      const running = this.running
      for (const member of this.members) member.expectNoDeath()
      const modes = await Promise.all(running.map((member) => member.mode()))
      seen = running.map((member, index) => `${member.name} is ${modes[index]}`).join(', ')
      const leaders = running.filter((_, index) => modes[index] === 'leader')
      const others = modes.filter((mode) => mode === 'follower' || mode === 'observer')
      return leaders.length === 1 && others.length === running.length - 1 ? leaders[0] : undefined
    }
    return await until(() => `one leader and all follow; ${seen}`, ROLES_MS, look)
  }

  /** The member that leads a moment from now at the latest; others need not be there. */
  async untilLeader(): Promise<Member> {
    return await until('a leader', ROLES_MS, async () => {
      const modes = await Promise.all(this.running.map((member) => member.mode()))
      return this.running.find((_, index) => modes[index] === 'leader')
    })
  }

  /**
   * Resolves with the zxid that all running members have reached, by then or by a write of our own:
   * before the first write of an epoch the leader counts from its start, and the followers do not.
   */
  async untilEqualZxid(): Promise<string> {
    const client = await WireClient.open((await this.untilRoles()).port, 10_000)
    await client.close()
    return await until('equal zxids', SETTLE_MS, async () => {
      const zxids = await Promise.all(this.running.map((member) => member.zxid()))
      return zxids.every((zxid) => zxid === zxids[0]) ? zxids[0] : undefined
    })
  }

  /** Kills all that runs and takes down the network. */
  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.stop('SIGKILL')))
    await this.#network?.close()
  }
}
