import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { messageOf } from '../../base/message-of.ts'
import { ExitCode } from '../process/exit-code.ts'
import { type ToolContext, ToolError } from './context.ts'
import { cleanup, initialize } from './folders.ts'
import { compareSnapshots, dumpSnapshot, summarizeSnapshot } from './snapshot.ts'
import { chopTxnLog, cutTxnLog, dumpTxnLog, repairTxnLog } from './txnlog.ts'

type Run = (action: () => Promise<ExitCode>) => Promise<void>

/** Fewer leave nothing to fall back to; the original's bound. */
const RETAIN_MIN = 3
const MYID_MAX = 255

/** Runs one tool; the number is the exit code. */
export async function runDataCommand(
  argv: readonly string[],
  context: ToolContext,
): Promise<number> {
  let exitCode: number = ExitCode.finished
  const run: Run = async (action) => {
    exitCode = await action()
  }
  const program = new Command('zk-data')
    .description('Looks into data directories of ZooKeeper and of zk-server, and repairs them.')
    .exitOverride()
    .showHelpAfterError()
    .configureOutput({ writeOut: (text) => void context.out(text), writeErr: context.err })
  addTxnLogCommands(program.command('txnlog').description('transaction logs'), run, context)
  addSnapshotCommands(program.command('snapshot').description('snapshots'), run, context)
  addFolderCommands(program, run, context)
  try {
    await program.parseAsync(argv, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? ExitCode.finished : ExitCode.invalidInvocation
    context.err(`zk-data: ${messageOf(error)}\n`)
    return error instanceof ToolError ? error.exitCode : ExitCode.unexpected
  }
  return exitCode
}

interface DumpFlags {
  readonly json?: true
  readonly from: number
  readonly to: number
}

interface RepairFlags {
  readonly yes?: true
  readonly verbose?: true
  readonly cut?: true
  readonly at?: number
}

function addTxnLogCommands(parent: Command, run: Run, context: ToolContext): void {
  parent
    .command('dump')
    .description('show the txns of a log, or of all logs in a directory')
    .argument('<file-or-directory>')
    .option('--json', 'one JSON object a line')
    .option('--from <zxid>', 'the first zxid to show', parseZxid, 0)
    .option('--to <zxid>', 'the last zxid to show', parseZxid, Number.MAX_SAFE_INTEGER)
    .action((path: string, { json, from, to }: DumpFlags) =>
      run(() => dumpTxnLog(path, { json: json === true, from, to }, context)),
    )
  parent
    .command('repair')
    .description('write a copy FILE.fixed with right checksums; or, with --cut, cut FILE itself')
    .argument('<file>')
    .option('-r, --recover', 'the default: recompute wrong checksums')
    .option('-v, --verbose', 'show every txn')
    .option('-y, --yes', 'do not ask')
    .option('--cut', 'cut the file before the first damage, keep it whole as FILE.damaged')
    .option('--at <offset>', 'with --cut: cut at this offset, in bytes', parseCount)
    .addOption(new Option('-d, --dump').hideHelp())
    .action((path: string, { yes, verbose, cut, at }: RepairFlags) =>
      run(() => {
        if (cut === true) return cutTxnLog(path, at, context)
        if (at !== undefined)
          throw new ToolError('--at belongs to --cut', ExitCode.invalidInvocation)
        return repairTxnLog(path, { yes: yes === true, verbose: verbose === true }, context)
      }),
    )
  parent
    .command('chop')
    .description('write a copy FILE.chopped<zxid> that ends with a zxid')
    .argument('<file>')
    .requiredOption('-z, --zxid <zxid>', 'the last zxid to keep, as 0x... or decimal', parseZxid)
    .action((path: string, { zxid }: { readonly zxid: number }) =>
      run(() => chopTxnLog(path, zxid, context)),
    )
}

interface SnapshotFlags {
  readonly data?: true
  readonly json?: true
}

interface CompareFlags {
  readonly left: string
  readonly right: string
  readonly bytes: number
  readonly nodes: number
  readonly debug?: true
}

function addSnapshotCommands(parent: Command, run: Run, context: ToolContext): void {
  parent
    .command('dump')
    .description('show the nodes and sessions of a snapshot')
    .argument('<file>')
    .option('-d, --data', 'show the data of the nodes, in base64')
    .option('--json', 'one JSON object a line, with data and ACLs')
    .action((path: string, { data, json }: SnapshotFlags) =>
      run(() => dumpSnapshot(path, { data: data === true, json: json === true }, context)),
    )
  parent
    .command('summary')
    .description('count nodes and bytes below a node')
    .argument('<file>')
    .argument('<start-node>')
    .argument('<max-depth>', 'levels to show; 0: all', parseCount)
    .action((path: string, start: string, depth: number) =>
      run(() => summarizeSnapshot(path, start, depth, context)),
    )
  parent
    .command('compare')
    .description('show what differs between two snapshots')
    .requiredOption('-l, --left <file>', 'the one snapshot')
    .requiredOption('-r, --right <file>', 'the other snapshot')
    .requiredOption('-b, --bytes <count>', 'show a difference of more bytes', parseCount)
    .requiredOption('-n, --nodes <count>', 'show a difference of more nodes', parseCount)
    .option('-d, --debug', 'say what was left out')
    .action(({ left, right, bytes, nodes, debug }: CompareFlags) =>
      run(() => compareSnapshots(left, right, { bytes, nodes, debug: debug === true }, context)),
    )
}

interface CleanupFlags {
  readonly count: number
  readonly configfile?: string
}

interface InitializeFlags {
  readonly configfile?: string
  readonly myid?: number
  readonly force?: true
}

function addFolderCommands(program: Command, run: Run, context: ToolContext): void {
  program
    .command('cleanup')
    .description('remove old snapshots, and the logs that only they need')
    .argument('[data-log-dir]', 'directory of the logs; without it what the configuration says')
    .argument('[snap-dir]', 'directory of the snapshots, if it is another')
    .requiredOption('-n, --count <count>', 'snapshots to keep, at least 3', parseRetained)
    .option('--configfile <file>', 'configuration that names the directories')
    .action((logs: string | undefined, snaps: string | undefined, flags: CleanupFlags) =>
      run(() =>
        cleanup(logs, snaps, { count: flags.count, configFile: flags.configfile }, context),
      ),
    )
  program
    .command('initialize')
    .description('make the directories of a new server')
    .option('--configfile <file>', 'configuration that names the directories')
    .option('--myid <number>', 'number of this server, 0 to 255', parseMyid)
    .option('--force', 'remove the data that is there')
    .action(({ configfile, myid, force }: InitializeFlags) =>
      run(() => initialize({ configFile: configfile, myid, force: force === true }, context)),
    )
}

function parseZxid(text: string): number {
  const zxid = /^(0x[0-9a-f]+|0|[1-9][0-9]*)$/i.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(zxid)) return zxid
  throw new InvalidArgumentError('A zxid is 0x and hexadecimal digits, or a decimal number.')
}

function parseCount(text: string): number {
  const count = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(count)) return count
  throw new InvalidArgumentError('It must be a whole number, 0 or more.')
}

function parseRetained(text: string): number {
  const count = parseCount(text)
  if (count >= RETAIN_MIN) return count
  throw new InvalidArgumentError(`It must be at least ${RETAIN_MIN}.`)
}

function parseMyid(text: string): number {
  const id = parseCount(text)
  if (id <= MYID_MAX) return id
  throw new InvalidArgumentError(`It must be at most ${MYID_MAX}.`)
}
