import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Command, CommanderError } from 'commander'
import { buildInfo } from '../host.ts'
import { type CommandContext, dataDirOf, serverArguments, start, stop } from './daemon.ts'
import { runForeground } from './foreground.ts'
import { describeConfigFile, findConfigFile, logFileOf } from './server-paths.ts'
import { status } from './status.ts'

type Action = (file: string, context: CommandContext) => Promise<number> | number

const commands: readonly (readonly [name: string, description: string, action: Action])[] = [
  ['start', 'start a server in the background; returns when it serves', start],
  ['start-foreground', 'run a server in this process', startForeground],
  ['stop', 'stop the server that start has started; returns when it is gone', stop],
  ['restart', 'stop and start', restart],
  ['status', 'ask the server for its mode', status],
  ['print-cmd', 'print the command that start runs', printCommand],
  ['upgrade', 'check that the data directory needs no upgrade', upgrade],
]

/** Runs one command; the number is the exit code. */
export async function runCommandLine(
  argv: readonly string[],
  context: CommandContext,
): Promise<number> {
  let exitCode = 0
  const program = new Command('zk-server')
    .description("A coordination server that speaks Apache ZooKeeper's protocols.")
    .option('--config <dir>', 'directory of the configuration files (default: conf of the package)')
    .exitOverride()
    .showHelpAfterError()
    .configureOutput({ writeOut: context.out, writeErr: context.err })
  for (const [name, description, action] of commands) {
    program
      .command(`${name} [config]`)
      .description(description)
      .action(async (config: string | undefined) => {
        const file = findConfigFile(config, program.opts<{ config?: string }>().config, context.env)
        // start-foreground says it itself, since it also comes without this parser.
        if (name !== 'start-foreground') context.err(`Using config: ${describeConfigFile(file)}\n`)
        exitCode = await action(file, context)
      })
  }
  program
    .command('version')
    .description('print the version')
    .action(() => {
      const { version: number, builtOn } = buildInfo()
      context.out(`zk-server, version ${number}, built on ${builtOn}\n`)
    })
  try {
    await program.parseAsync(argv, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode
    throw error
  }
  return exitCode
}

async function startForeground(file: string, { env }: CommandContext): Promise<number> {
  await runForeground(file, env)
  return Number(process.exitCode ?? 0)
}

async function restart(file: string, context: CommandContext): Promise<number> {
  const stopped = await stop(file, context)
  return stopped === 0 ? start(file, context) : stopped
}

function printCommand(file: string, context: CommandContext): number {
  const log = logFileOf(resolve(dataDirOf(file) ?? '.'), context.env)
  const words = [process.execPath, ...serverArguments(file, context)]
  const command = words.map((word) => `"${word}"`).join(' ')
  context.out(`${command} >> "${log}" 2>&1 < /dev/null\n`)
  return 0
}

/**
 * Before 3.0 ZooKeeper kept snapshots and logs in dataDir itself, and this command moved them. What
 * came after is read as it is.
 */
function upgrade(file: string, { out, err }: CommandContext): number {
  const dataDir = dataDirOf(file)
  if (dataDir === undefined) {
    err(`${describeConfigFile(file)} names no dataDir\n`)
    return 1
  }
  const names = existsSync(dataDir) ? readdirSync(dataDir) : []
  const old = names.find((name) => /^(snapshot|log)\.[0-9a-f]+$/.test(name))
  if (old !== undefined) {
    err(`${join(dataDir, old)} is older than ZooKeeper 3.0: upgrade it with ZooKeeper 3.4 first\n`)
    return 1
  }
  out(`Nothing to upgrade: ${resolve(dataDir)} is read as it is.\n`)
  return 0
}
