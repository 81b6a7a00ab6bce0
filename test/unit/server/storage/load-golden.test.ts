import { describe, expect, it } from 'vitest'
import type { LogFields, Logger } from '../../../../src/base/logger.ts'
import type { DiskReader } from '../../../../src/persistence/disk.ts'
import { type Loaded, type LoadRules, loadMember } from '../../../../src/server/storage/load.ts'
import { goldenDisk, goldenJson, type MemoryDisk } from '../../../support/memory-disk.ts'

interface ExpectedNode {
  readonly data: string | null
  readonly stat: Readonly<Record<string, string | number>>
  readonly acl: readonly { readonly perms: number; readonly scheme: string; readonly id: string }[]
  readonly children: readonly string[]
  readonly persisted: {
    readonly cversion: number
    readonly ephemeralOwner: string
    readonly nodeDigest: string
  }
}

interface Expected {
  readonly lastZxid: string
  readonly nodeCount: number
  readonly treeDigest: { readonly digest: string }
  readonly sessions: readonly {
    readonly id: string
    readonly timeout: number
    readonly ephemerals: readonly string[]
  }[]
  readonly nodes: Readonly<Record<string, ExpectedNode>>
}

const rules: LoadRules = {
  extendedTypesEnabled: true,
  emulate353TtlNodes: false,
  digestEnabled: true,
  snapshotTrustEmpty: false,
  mayCreate: true,
}

/** Loads, and nothing in the log may say that anything was odd. */
function load(disk: DiskReader): Loaded {
  const logged: string[] = []
  const log = (message: string, fields: LogFields = {}): void => {
    logged.push(`${message} ${JSON.stringify(fields)}`)
  }
  const logger: Logger = { debug: log, info: log, warn: log, error: log }
  const loaded = loadMember(disk, rules, logger)
  if (loaded.kind === 'refused') throw new Error(JSON.stringify(loaded))
  expect(logged).toEqual([])
  return loaded
}

/** The state in the words of expected.json. */
function stateOf({ tree, sessions }: Loaded): Pick<Expected, 'nodes' | 'sessions'> {
  const nodes: Record<string, ExpectedNode> = {}
  for (const [path, znode] of tree.entries()) {
    const stat = tree.statOf(znode)
    nodes[path] = {
      data: znode.data === null ? null : znode.data.toString('base64'),
      stat: {
        czxid: String(stat.czxid),
        mzxid: String(stat.mzxid),
        ctime: String(stat.ctime),
        mtime: String(stat.mtime),
        version: stat.version,
        cversion: stat.cversion,
        aversion: stat.aversion,
        ephemeralOwner: String(stat.ephemeralOwner),
        dataLength: stat.dataLength,
        numChildren: stat.numChildren,
        pzxid: String(stat.pzxid),
      },
      acl: znode.acl.acl.map(({ perms, id }) => ({ perms, scheme: id.scheme, id: id.id })),
      children: [...(znode.children ?? [])].sort(),
      persisted: {
        cversion: znode.cversion,
        ephemeralOwner: String(BigInt.asUintN(64, znode.ephemeralOwner)),
        nodeDigest: String(znode.digest >>> 0),
      },
    }
  }
  return {
    nodes,
    sessions: [...sessions].map(([id, timeout]) => ({
      id: String(id),
      timeout,
      ephemerals: [...tree.ephemeralsOf(id)].sort(),
    })),
  }
}

function expectedOf(folder: string): Expected {
  const expected = goldenJson<Expected>(`${folder}/expected.json`)
  const nodes: Record<string, ExpectedNode> = {}
  for (const [path, node] of Object.entries(expected.nodes)) {
    const { cversion, ephemeralOwner, nodeDigest } = node.persisted
    nodes[path] = {
      data: node.data,
      stat: node.stat,
      acl: node.acl,
      children: [...node.children].sort(),
      persisted: {
        cversion,
        ephemeralOwner: String(BigInt.asUintN(64, BigInt(ephemeralOwner))),
        nodeDigest,
      },
    }
  }
  const sessions = expected.sessions.map(({ id, timeout, ephemerals }) => ({
    id,
    timeout,
    ephemerals: [...ephemerals].sort(),
  }))
  return { ...expected, nodes, sessions }
}

const folders = ['datadir-standalone', 'datadir-gz', 'datadir-snappy']
/** By the names of the files, the newest first. */
const snapshotsOf = (disk: MemoryDisk): string[] =>
  disk
    .listSnapshots()
    .map(({ name }) => name)
    .toReversed()

describe.each(folders)('%s', (folder) => {
  const expected = expectedOf(folder)

  function expectState(loaded: Loaded): void {
    const state = stateOf(loaded)
    expect(state.nodes).toEqual(expected.nodes)
    expect(new Set(state.sessions)).toEqual(new Set(expected.sessions))
    expect(loaded.lastZxid).toBe(Number(expected.lastZxid))
    expect(String(loaded.tree.digest.toBigInt())).toBe(expected.treeDigest.digest)
    expect(loaded.tree.nodeCount).toBe(expected.nodeCount + 1)
  }

  it('loads to what the original makes of it', () => {
    const disk = goldenDisk(folder)
    const loaded = load(disk)
    expectState(loaded)
    expect(loaded.snapshot).toBe(snapshotsOf(disk)[0])
  })

  it('loads to the same from each older snapshot, and from the logs alone', () => {
    const disk = goldenDisk(folder)
    for (const name of snapshotsOf(disk)) {
      disk.files.delete(name)
      expectState(load(disk))
    }
    expect(disk.listSnapshots()).toEqual([])
  })
})

interface QuorumSummary {
  readonly lastZxid: string
  readonly nodes: readonly string[]
  readonly sessions: readonly { readonly hex: string; readonly timeout: number }[]
  readonly lastLoggedDigest: { readonly zxid: string; readonly digest: string }
}

describe.each(['server1', 'server2', 'server3', 'server4'])('datadir-quorum/%s', (server) => {
  const summaries = goldenJson<Record<string, QuorumSummary>>('datadir-quorum/summary.json')

  it('loads to what the summary says', () => {
    const summary = summaries[server]
    const loaded = load(goldenDisk(`datadir-quorum/${server}`))
    expect(loaded.lastZxid).toBe(Number(summary?.lastZxid))
    expect([...loaded.tree.entries()].map(([path]) => path).sort()).toEqual(
      [...(summary?.nodes ?? [])].sort(),
    )
    if (summary?.lastLoggedDigest.zxid === summary?.lastZxid)
      expect(String(loaded.tree.digest.toBigInt())).toBe(summary?.lastLoggedDigest.digest)
  })
})

describe('a log of 3.9.5 with writes that it could not decode', () => {
  it('is loaded, without what stands there for them', () => {
    const loaded = load(goldenDisk('datadir-undecodable'))
    // createSession, create /a, two times `delete` with a body of three bytes, create /b, closeSession.
    expect([loaded.lastZxid, loaded.txns]).toEqual([4, 4])
    expect(['/a', '/b'].map((path) => loaded.tree.node(path) !== undefined)).toEqual([true, true])
  })
})
