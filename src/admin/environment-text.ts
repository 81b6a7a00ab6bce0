import type { ServerView } from './server-view.ts'
import type { TextWriter } from './text-writer.ts'

/**
 * The keys of `envi` after `zookeeper.version`, in order. Scripts look them up by name, so the Java
 * ones stay and name what stands in Java's place: `java.version` the version of Node.js,
 * `java.vendor` 'Node.js', `java.home` the folder of its program, `java.class.path` that of our code.
 */
export const ENVIRONMENT_KEYS = [
  'host.name',
  'java.version',
  'java.vendor',
  'java.home',
  'java.class.path',
  'java.library.path',
  'java.io.tmpdir',
  'java.compiler',
  'os.name',
  'os.arch',
  'os.version',
  'user.name',
  'user.home',
  'user.dir',
  'os.memory.free',
  'os.memory.max',
  'os.memory.total',
] as const

export function writeEnvironment(view: ServerView, out: TextWriter): void {
  out.line('Environment:')
  out.line(`zookeeper.version=${fullVersion(view)}`)
  const { environment } = view.host
  for (const key of ENVIRONMENT_KEYS) out.line(`${key}=${environment.get(key) ?? '<NA>'}`)
}

/** '3.9.5-zk-server-0.1.0, built on 2026-01-31 12:00 UTC': the form that tools take apart. */
export function fullVersion(view: ServerView): string {
  return `${view.version}, built on ${view.builtOn}`
}

export function writeConfiguration(view: ServerView, out: TextWriter): void {
  const { settings, host, quorum } = view
  out.line(`clientPort=${settings.clientPort}`)
  out.line(`secureClientPort=${settings.secureClientPort}`)
  out.line(`dataDir=${settings.dataDir}`)
  out.line(`dataDirSize=${host.dataDirBytes}`)
  out.line(`dataLogDir=${settings.dataLogDir}`)
  out.line(`dataLogSize=${host.logDirBytes}`)
  out.line(`tickTime=${settings.tickTimeMs}`)
  out.line(`maxClientCnxns=${settings.maxClientCnxns}`)
  out.line(`minSessionTimeout=${settings.minSessionTimeoutMs}`)
  out.line(`maxSessionTimeout=${settings.maxSessionTimeoutMs}`)
  out.line(`clientPortListenBacklog=${settings.clientPortListenBacklog}`)
  out.line(`serverId=${settings.serverId}`)
  if (quorum === undefined) return
  out.line(`initLimit=${quorum.initLimit}`)
  out.line(`syncLimit=${quorum.syncLimit}`)
  out.line(`electionAlg=${quorum.electionAlg}`)
  out.line(`electionPort=${quorum.electionPort}`)
  out.line(`quorumPort=${quorum.quorumPort}`)
  out.line(`peerType=${quorum.isObserver ? 1 : 0}`)
  out.line('membership: ')
  // The original prints the members last and ends without a line feed.
  out.add(quorum.membership)
}

export function writeDirSizes(view: ServerView, out: TextWriter): void {
  out.line(`datadir_size: ${view.host.dataDirBytes}`)
  out.line(`logdir_size: ${view.host.logDirBytes}`)
}
