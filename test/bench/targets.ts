import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Apache } from './apache.ts'
import { replyBytes } from './frames.ts'
import { freePort, type Launch } from './server-process.ts'
import type { Workload } from './shapes.ts'

export const targetNames = ['zk-server', 'apache', 'echo'] as const
export type TargetName = (typeof targetNames)[number]

export const isTargetName = (text: string): text is TargetName =>
  targetNames.some((name) => name === text)

const here = fileURLToPath(new URL('.', import.meta.url))
const binary = fileURLToPath(new URL('../../bin/zk-server', import.meta.url))

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

/** Launches for one server on a port of its own, in a directory below `root`. */
export async function launchServer(
  name: 'zk-server' | 'apache',
  root: string,
  apache: Apache | undefined,
  cpuProfileDirectory: string | undefined,
): Promise<Launch> {
  const port = await freePort()
  const directory = join(root, name)
  const configPath = join(directory, 'zoo.cfg')
  return {
    ...(name === 'apache' && apache !== undefined
      ? commandOfApache(apache, configPath)
      : commandOfOurs(configPath, cpuProfileDirectory)),
    directory,
    port,
    bare: false,
    writeConfig: () => {
      const dataDir = join(directory, 'data')
      mkdirSync(dataDir)
      writeFileSync(configPath, zooCfg(port, dataDir))
    },
  }
}

type Command = Pick<Launch, 'command' | 'args'>

/** The class that zkServer.sh starts, without its JMX agent, which would cost it memory and time. */
const commandOfApache = (apache: Apache, configPath: string): Command => ({
  command: 'java',
  args: ['-cp', apache.classPath, 'org.apache.zookeeper.server.quorum.QuorumPeerMain', configPath],
})

const commandOfOurs = (configPath: string, cpuProfileDirectory: string | undefined): Command => ({
  command: process.execPath,
  args: [
    ...(cpuProfileDirectory === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${cpuProfileDirectory}`]),
    binary,
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
