import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../support/ports.ts'
import type { Apache } from './apache.ts'
import { replyBytes } from './frames.ts'
import { freePort, type Launch } from './server-process.ts'
import type { Workload } from './shapes.ts'

/** `before` is another checkout of zk-server: what a change has done to the figures. */
export const targetNames = ['zk-server', 'before', 'apache', 'echo'] as const
export type TargetName = (typeof targetNames)[number]
/** Those that are servers. */
export type ServerName = Exclude<TargetName, 'echo'>

export const isTargetName = (text: string): text is TargetName =>
  targetNames.some((name) => name === text)

const here = fileURLToPath(new URL('.', import.meta.url))
const checkout = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Both servers read the same file. It names the four-letter words (for `ruok`), lifts the limit of 60
 * connections an address, and keeps the original from starting its HTTP server; all else is default,
 * and so the txn log is synced before every answer.
 */
const zooCfg = (port: number, dataDir: string): string => `tickTime=2000
dataDir=${dataDir}
clientPort=${port}
maxClientCnxns=0
4lw.commands.whitelist=*
admin.enableServer=false
`

/** What decides how a server is launched, whichever it is. */
export interface LaunchPlan {
  /** Directories go below it. */
  readonly directory: string
  readonly apache: Apache | undefined
  /** The checkout that is launched as `before`; it is built. */
  readonly before: string | undefined
  readonly cpuProfileDirectory: string | undefined
}

/** Launches for one server on a port of its own. */
export async function launchServer(name: ServerName, plan: LaunchPlan): Promise<Launch> {
  return launchOn(name, plan, await freePort(), join(plan.directory, name), undefined)
}

/** Launches for `members` servers that form an ensemble, with the default limits of zoo_sample.cfg. */
export async function launchEnsemble(
  name: ServerName,
  plan: LaunchPlan,
  members: number,
): Promise<Launch[]> {
  const first = await freePorts(members * 3)
  const sids = Array.from({ length: members }, (_, index) => index + 1)
  const portOf = (sid: number, which: number): number => first + (sid - 1) * 3 + which
  const lines = sids.map((sid) => `server.${sid}=127.0.0.1:${portOf(sid, 1)}:${portOf(sid, 2)}\n`)
  const ensembleLines = `initLimit=10\nsyncLimit=5\n${lines.join('')}`
  return sids.map((sid) =>
    launchOn(name, plan, portOf(sid, 0), join(plan.directory, `${name}-${sid}`), {
      sid,
      ensembleLines,
    }),
  )
}

function launchOn(
  name: ServerName,
  { apache, before, cpuProfileDirectory }: LaunchPlan,
  port: number,
  directory: string,
  membership: { readonly sid: number; readonly ensembleLines: string } | undefined,
): Launch {
  const configPath = join(directory, 'zoo.cfg')
  return {
    ...(name === 'apache' && apache !== undefined
      ? commandOfApache(apache, configPath)
      : commandOfOurs(
          name === 'before' && before !== undefined ? before : checkout,
          configPath,
          cpuProfileDirectory,
        )),
    directory,
    port,
    bare: false,
    writeConfig: () => {
      const dataDir = join(directory, 'data')
      mkdirSync(dataDir)
      writeFileSync(configPath, zooCfg(port, dataDir) + (membership?.ensembleLines ?? ''))
      if (membership !== undefined) writeFileSync(join(dataDir, 'myid'), `${membership.sid}\n`)
    },
  }
}

type Command = Pick<Launch, 'command' | 'args'>

/** The class that zkServer.sh starts, without its JMX agent, which would cost it memory and time. */
const commandOfApache = (apache: Apache, configPath: string): Command => ({
  command: 'java',
  args: ['-cp', apache.classPath, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', configPath],
})

const commandOfOurs = (
  folder: string,
  configPath: string,
  cpuProfileDirectory: string | undefined,
): Command => ({
  command: process.execPath,
  args: [
    ...(cpuProfileDirectory === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${cpuProfileDirectory}`]),
    join(folder, 'bin/zk-server'),
    'start-foreground',
    configPath,
  ],
})

/** The bare server for one workload: its replies have the size of that workload's. */
export async function launchEcho(root: string, workload: Workload): Promise<Launch> {
  const port = await freePort()
  return {
    command: process.execPath,
    args: [...process.execArgv, join(here, 'echo-server.ts'), `${port}`, `${replyBytes(workload)}`],
    directory: join(root, 'echo'),
    port,
    bare: true,
    writeConfig: () => undefined,
  }
}
