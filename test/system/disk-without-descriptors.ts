import { closeSync, openSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { NodeDisk } from '../../src/node/files/disk.ts'
import { writeEpochFile } from '../../src/node/files/epoch-store.ts'

/** Takes every descriptor, writes to the log all the same, and gives them back after a while. */

const [, , dataDir = ''] = process.argv
const say = (text: string): boolean => process.stdout.write(`${text}\n`)
const disk = NodeDisk.open(
  {
    dataDir,
    dataLogDir: dataDir,
    dataDirAutocreate: true,
    preAllocBytes: 0,
    forceSync: true,
    fsyncWarningThresholdMs: 60_000,
    txnLogSizeLimitBytes: 0,
  },
  {
    logger: { debug() {}, info() {}, warn() {}, error: (message) => say(message) },
    onSync: () => {},
    onFatal: (reason) => {
      say(`fatal: ${reason}`)
      process.exit(1)
    },
  },
)
if (typeof disk === 'string') throw new Error(disk)
const write = (zxid: number): Promise<void> =>
  new Promise((resolve) => {
    const bytes = Buffer.from([zxid])
    disk.write([{ kind: 'appendTxns', bytes, firstZxid: zxid, lastZxid: zxid }], resolve)
  })
await write(1)
// What the first of these needs is loaded by then.
await writeEpochFile(disk.snapFolder, 'acceptedEpoch', 1)
const taken: number[] = []
try {
  for (;;) taken.push(openSync('/dev/null', 'r'))
} catch {
  say('all descriptors are taken')
}
disk.write([{ kind: 'rollLog' }], () => {})
// The descriptor of the log that was closed.
const last = openSync('/dev/null', 'r')
await delay(10)
const written = Promise.all([write(2), writeEpochFile(disk.snapFolder, 'acceptedEpoch', 2)])
await delay(300)
for (const fd of [last, ...taken]) closeSync(fd)
await written
say('written')
