import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { JuteWriter } from 'jute-ts'
import { openAcl } from '../../src/data/acl.ts'
import { OpCode } from '../../src/data/op-code.ts'
import { SnapshotEncoder } from '../../src/persistence/snapshot-format.ts'
import { snapshotFileName } from '../../src/persistence/snapshot-name.ts'
import { applyTxn, deafListener } from '../../src/tree/apply.ts'
import { DataTree } from '../../src/tree/data-tree.ts'
import { TreeDump } from '../../src/tree/tree-dump.ts'
import { type Apache, findApache } from './apache.ts'
import { nodeData, probePath } from './frames.ts'
import { describeMachine } from './machine.ts'
import { median } from './median.ts'
import { type Launch, machineCpuMs, ServerProcess } from './server-process.ts'
import { launchServer } from './targets.ts'

/**
 * How long a server takes from the start of its process to its first answered read, and what memory it
 * has then, with a snapshot of many znodes of 100 bytes to load: zk-server and Apache ZooKeeper in turn.
 */

interface Options {
  readonly znodes: number
  readonly rounds: number
  readonly only?: string
  readonly apache?: string
  readonly dir: string
  readonly cpuProf?: string
}

function integer(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a whole number is wanted')
  return Number(text)
}

const options = new Command('load-time')
  .description('Measures how long zk-server and Apache ZooKeeper take to load a large snapshot.')
  .option('--znodes <n>', 'znodes of 100 bytes, a thousand below each parent', integer, 1_000_000)
  .option('--rounds <n>', 'starts of each server, in turn', integer, 5)
  .option('--only <server>', 'zk-server or apache')
  .option('--apache <version>', 'debian, a line such as 3.9, or a version')
  .option('--dir <path>', 'where data directories are made', tmpdir())
  .option('--cpu-prof <path>', 'where to write CPU profiles of zk-server')
  .parse()
  .opts<Options>()

const CHILDREN = 1000
const SLICE_BYTES = 1024 * 1024

/** A snapshot file of a tree that was written by txns, as any other. Returns its path. */
function makeSnapshot(root: string, znodes: number): string {
  const tree = new DataTree({ extendedTypesEnabled: false, emulate353TtlNodes: false }, true)
  let zxid = 0
  const create = (path: string): void => {
    zxid += 1
    const time = 1_700_000_000_000 + zxid
    const common = { data: nodeData, acl: openAcl, ephemeral: false, ttl: 0n, parentCVersion: -1 }
    const txn = { type: OpCode.create, path, ...common } as const
    applyTxn(tree, { clientId: 1n, zxid, time }, txn, deafListener)
  }
  create('/bench')
  create(probePath)
  for (let at = 0; at < znodes; at += 1) {
    const parent = `/bench/parent-${Math.floor(at / CHILDREN)}`
    if (at % CHILDREN === 0) create(parent)
    create(`${parent}/node-${at}`)
  }
  const tail = { digest: true, lastProcessedZxid: true }
  const encoder = new SnapshotEncoder(new TreeDump(tree, []), tail)
  const slices: Buffer[] = []
  const w = new JuteWriter()
  for (let isLast = false; !isLast; ) {
    w.clear()
    isLast = encoder.writeSlice(w, SLICE_BYTES)
    slices.push(w.copy())
  }
  const path = join(root, snapshotFileName({ zxid, compression: '' }))
  writeFileSync(path, Buffer.concat(slices), { flush: true })
  return path
}

async function launchOn(
  name: 'zk-server' | 'apache',
  root: string,
  snapshot: string,
  apache: Apache | undefined,
): Promise<Launch> {
  const launch = await launchServer(name, {
    directory: root,
    apache,
    before: undefined,
    cpuProfileDirectory: options.cpuProf,
  })
  return {
    ...launch,
    firstRead: probePath,
    writeConfig: () => {
      launch.writeConfig()
      const folder = join(launch.directory, 'data', 'version-2')
      mkdirSync(folder)
      copyFileSync(snapshot, join(folder, basename(snapshot)))
    },
  }
}

interface Start {
  readonly ms: number
  readonly residentMiB: number
  /** Processor time, of all threads. */
  readonly cpuMs: number
  /** Cores that other processes kept busy meanwhile. */
  readonly othersBusy: number
}

async function start(launch: Launch): Promise<Start> {
  const busyBefore = machineCpuMs()
  const server = await ServerProcess.start(launch)
  const cpuMs = server.cpuMs()
  const others = machineCpuMs() - busyBefore - cpuMs
  const residentMiB = server.residentBytes() / 1024 / 1024
  await server.stop()
  return { ms: server.servingMs, residentMiB, cpuMs, othersBusy: others / server.servingMs }
}

const line = (name: string, starts: readonly Start[]): string => {
  const ms = starts.map((one) => one.ms)
  const all = ms.map((one) => (one / 1000).toFixed(2)).join(' ')
  const resident = median(starts.map((one) => one.residentMiB)).toFixed(0)
  const busy = median(starts.map((one) => one.othersBusy)).toFixed(2)
  const seconds = (median(ms) / 1000).toFixed(2)
  const cpu = (median(starts.map((one) => one.cpuMs)) / 1000).toFixed(2)
  return `${name}: median ${seconds} s (${all}), processor ${cpu} s, resident ${resident} MiB, others busy ${busy}`
}

async function main(): Promise<void> {
  const root = mkdtempSync(join(resolve(options.dir), 'zk-load-time-'))
  const names = (['zk-server', 'apache'] as const).filter(
    (name) => options.only === undefined || options.only === name,
  )
  const apache = names.includes('apache') ? findApache(options.apache) : undefined
  try {
    const snapshot = makeSnapshot(root, options.znodes)
    const { processor, cores, node, version, apache: of } = describeMachine(root, apache)
    console.log(`${cores} cores of ${processor}; zk-server ${version} on ${node}; Apache ${of}`)
    const starts = new Map<string, Start[]>(names.map((name) => [name, []]))
    for (let round = 0; round < options.rounds; round += 1)
      for (const name of names) {
        const launch = await launchOn(name, root, snapshot, apache)
        starts.get(name)?.push(await start(launch))
      }
    for (const [name, all] of starts) console.log(line(name, all))
    const [ours, theirs] = names.map((name) => median((starts.get(name) ?? []).map(({ ms }) => ms)))
    if (ours !== undefined && theirs !== undefined)
      console.log(`zk-server takes ${(ours / theirs).toFixed(2)} of the time of Apache ZooKeeper`)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

await main()
