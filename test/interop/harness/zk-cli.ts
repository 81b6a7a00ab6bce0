import { mavenClasspath, versions, zookeeper39Coords } from './maven.ts'
import { type Child, type RunResult, run, startChild } from './process.ts'

/** Debian's 3.8.0 through its own script; 3.4.6 and the newest 3.9 from Maven Central. */
export type CliRelease = '3.4' | 'debian' | '3.9'

/** One running zkCli: a single JVM that is talked to through its standard input. */
export interface ZkCli {
  /**
   * Runs one command and resolves with the lines it printed, blank ones and watch events left out.
   * Rejects after thirty seconds.
   */
  command(line: string): Promise<string[]>
  /**
   * Resolves with the line of the next event of this type and path that no earlier call returned.
   * The pair may come at any time: before, between or after the lines of a command.
   */
  event(type: string, path: string): Promise<string>
  /** Resolves once this has been printed at any time since the start. */
  printed(pattern: RegExp | string): Promise<void>
  /** How many events of this type and path have been printed so far. */
  eventCount(type: string, path: string): number
  /** Sends `quit` and resolves with the exit code. */
  quit(): Promise<number>
  kill(): Promise<void>
}

// Without arguments this command only tells its setting, in every release: it marks the end of the
// command before it, because a zkCli that reads from a pipe prints no prompt.
const END_COMMAND = 'printwatches'
const END_MARK = 'printwatches is on\n'

const noise = /^(SLF4J|log4j:WARN|WATCHER::$|WatchedEvent )/

/** Starts a zkCli and resolves when its session is established. */
export async function startZkCli(release: CliRelease, connectString: string): Promise<ZkCli> {
  const { command, args } = await cliCommand(release)
  const child = startChild(command, [...args, '-server', connectString])
  await child.waitFor('type:None path:null')
  return attach(child)
}

/** Runs one command in a zkCli of its own, as scripts do. */
export async function runZkCli(
  release: CliRelease,
  connectString: string,
  words: readonly string[],
): Promise<RunResult> {
  const { command, args } = await cliCommand(release)
  return await run(command, [...args, '-server', connectString, ...words])
}

async function cliCommand(release: CliRelease): Promise<{ command: string; args: string[] }> {
  if (release === 'debian') return { command: '/usr/share/zookeeper/bin/zkCli.sh', args: [] }
  const coords =
    release === '3.4'
      ? [`org.apache.zookeeper:zookeeper:${versions.zookeeper34}`]
      : zookeeper39Coords
  const classpath = await mavenClasspath(coords)
  // JLine would echo what it reads from the pipe; zkCli does without it where it is missing.
  const plain = classpath.split(':').filter((jar) => !/\/jline-[^/]*$/.test(jar))
  const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'
  const main = 'org.apache.zookeeper.ZooKeeperMain'
  return { command: 'java', args: [quiet, '-cp', plain.join(':'), main] }
}

function attach(child: Child): ZkCli {
  let read = child.output().length
  const eventsSeen = new Map<string, number>()
  const pattern = (type: string, path: string): RegExp =>
    new RegExp(`WatchedEvent state:\\S+ type:${type} path:${path}(?= |\\n)[^\\n]*\\n`)
  return {
    command: async (line) => {
      child.send(line)
      child.send(END_COMMAND)
      const printed = await child.waitFor(END_MARK, { from: read })
      read += printed.length
      const lines = printed.slice(0, -END_MARK.length).split('\n')
      return lines.filter((text) => text !== '' && !noise.test(text))
    },
    event: async (type, path) => {
      const key = `${type} ${path}`
      const from = eventsSeen.get(key) ?? 0
      const printed = await child.waitFor(pattern(type, path), { from })
      eventsSeen.set(key, from + printed.length)
      return printed.trimEnd().split('\n').at(-1) ?? ''
    },
    eventCount: (type, path) =>
      [...child.output().matchAll(new RegExp(pattern(type, path), 'g'))].length,
    printed: async (wanted) => {
      await child.waitFor(wanted)
    },
    quit: async () => {
      child.send('quit')
      child.end()
      return await child.exited
    },
    kill: () => child.kill(),
  }
}
