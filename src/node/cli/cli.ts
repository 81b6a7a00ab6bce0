import type { Environment } from '../process/environment.ts'
import type { CommandContext } from './daemon.ts'
import { runForeground } from './foreground.ts'
import { findConfigFile } from './server-paths.ts'

/**
 * The command line of bin/zk-server. `argv` holds the arguments alone, `executable` the path of the
 * script itself. The exit code is in process.exitCode when the promise ends, except for
 * start-foreground, which ends with its server.
 */
export async function main(
  argv: readonly string[],
  env: Environment,
  executable: string,
): Promise<void> {
  // How a server process is started: it needs no parser of options, which would cost 10 ms.
  const [command, name, ...rest] = argv
  if (command === 'start-foreground' && rest.length === 0 && !(name ?? '').startsWith('-'))
    return runForeground(findConfigFile(name, undefined, env), env)
  const { runCommandLine } = await import('./command-line.ts')
  const context: CommandContext = {
    env,
    executable,
    nodeOptions: process.execArgv,
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  }
  process.exitCode = await runCommandLine(argv, context)
}
