import { createInterface } from 'node:readline/promises'
import type { Environment } from '../process/environment.ts'
import { runDataCommand } from './command-line.ts'
import type { ToolContext } from './context.ts'

/** The command line of bin/zk-data. The exit code is in process.exitCode when the promise ends. */
export async function main(argv: readonly string[], env: Environment): Promise<void> {
  let isOutOpen = true
  // `zk-data ... | head` closes the pipe: what follows is wanted by nobody, and that is no error.
  process.stdout.on('error', () => {
    isOutOpen = false
  })
  const context: ToolContext = {
    env,
    out: (text) =>
      new Promise((resolve) => {
        process.stdout.write(text, () => resolve(isOutOpen))
      }),
    err: (text) => process.stderr.write(text),
    ask,
    mono: () => performance.now(),
  }
  process.exitCode = await runDataCommand(argv, context)
  // A terminal that was asked would keep the process alive.
  await lines?.return?.()
}

/** Questions go to standard error: standard output may be a file. */
let lines: AsyncIterator<string> | undefined
async function ask(question: string): Promise<string | undefined> {
  process.stderr.write(question)
  lines ??= createInterface({ input: process.stdin })[Symbol.asyncIterator]()
  const next = await lines.next()
  return next.done === true ? undefined : next.value
}
