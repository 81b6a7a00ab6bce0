import { JuteWriter } from 'jute-ts'
import { defaultLimits } from '../../src/base/limits.ts'
import type { LogFields, Logger } from '../../src/base/logger.ts'
import { Prng } from '../../src/base/prng.ts'
import { openAcl } from '../../src/data/acl.ts'
import { OpCode } from '../../src/data/op-code.ts'
import { writeTxnHeader } from '../../src/data/records.ts'
import { encodeTxn } from '../../src/data/txn.ts'
import { nodeCrypto } from '../../src/node/process/crypto.ts'
import type { Entry } from '../../src/quorum/ports/replica.ts'
import { defaultMemberBounds } from '../../src/server/bounds/member-bounds.ts'
import { providersOf } from '../../src/server/clients/auth-requests.ts'
import type { MemberReplica } from '../../src/server/ensemble/replica.ts'
import { loadMember, loadRulesOf } from '../../src/server/storage/load.ts'
import type { Snapshotter } from '../../src/server/storage/snapshotter.ts'
import { type Wired, wire } from '../../src/server/wiring.ts'
import { SimDisk } from '../sim/sim-disk.ts'
import { membershipOf, shortTimes } from './ensemble-shape.ts'
import { snapshotFile } from './memory-disk.ts'
import { configOf, noWords } from './memory-server.ts'

/** The creation of a node that is named after its zxid, with so much data. */
export function createEntry(zxid: number, dataBytes = 0): Entry {
  const w = new JuteWriter()
  writeTxnHeader(w, { clientId: 7n, cxid: 1, zxid, time: 1000, type: OpCode.create })
  const path = `/n${zxid.toString(16)}`
  const data = Buffer.alloc(dataBytes, 'x')
  const shape = { path, data, acl: openAcl, ephemeral: false, parentCVersion: -1, ttl: 0n }
  w.writeBytes(encodeTxn({ type: OpCode.create, ...shape }))
  return { zxid, bytes: w.copy() }
}

/**
 * The replica of a member, on a disk in memory that does one thing when it is told. No network, no
 * role: the test is the learner or leader that calls it.
 */
export class ReplicaRig {
  readonly disk: SimDisk
  readonly parts: Wired
  readonly snapshotter: Snapshotter
  readonly replica: MemberReplica
  readonly logs: string[] = []
  mono = 1000

  constructor(
    settings: Readonly<Record<string, string>> = {},
    disk: SimDisk = new SimDisk(new Prng(1)),
  ) {
    this.disk = disk
    const config = configOf(settings)
    disk.finishForgetting()
    if (disk.listSnapshots().length === 0)
      disk.writeSnapshotSync('snapshot.0', snapshotFile('snapshot.0'))
    const log =
      (level: string) =>
      (message: string, fields: LogFields = {}): void => {
        this.logs.push(`${level} ${message} ${JSON.stringify(fields)}`)
      }
    const logger: Logger = {
      debug: log('debug'),
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
    }
    const rules = loadRulesOf(config, true)
    const loaded = loadMember(disk, rules, logger)
    if (loaded.kind === 'refused') throw new Error(loaded.reason)
    const providers = providersOf(config, nodeCrypto)
    if (typeof providers === 'string') throw new Error(providers)
    const membership = membershipOf(1, { voters: [1, 2, 3, 4, 5] })
    const clock = { mono: this.mono, wall: 1_700_000_000_000 }
    const epochs = { accepted: 0, current: 0 }
    const ports = { membership, settings: shortTimes, epochs, disk }
    const bounds = { ...defaultMemberBounds, sliceBytes: 4096 }
    const parts = wire(
      {
        config,
        limits: defaultLimits,
        bounds,
        providers,
        crypto: nodeCrypto,
        logger,
        clock,
        ensemble: ports,
      },
      loaded,
      noWords,
    )
    const { replica, snapshotter } = parts
    if (replica === undefined) throw new Error('a member of an ensemble has one')
    this.parts = parts
    this.snapshotter = snapshotter
    this.replica = replica
  }

  /** Hands over to the disk what there is, without anything being done yet. */
  pump(): void {
    const batch = this.parts.lane.take(this.mono)
    if (batch !== undefined) this.disk.writeDisk(batch.ops, () => this.parts.lane.onDurable(batch))
    this.pumpSnapshot()
  }

  pumpSnapshot(): void {
    const op = this.snapshotter.takeOp(this.mono)
    if (op === undefined) return
    this.disk.writeSnapshotSlice(op, (problem) => this.snapshotter.onDone(problem, this.mono))
  }

  /** Until nothing is left to do. */
  settle(): void {
    for (this.pump(); this.disk.isBusy; this.pump()) this.disk.completeOne()
  }

  /** As a learner takes them: logged, and delivered if the leader says so. */
  take(entries: readonly Entry[], isCommitted = true): void {
    for (const entry of entries) {
      const accepted = this.replica.accept(entry)
      if ('problem' in accepted) throw new Error(accepted.problem)
      this.replica.append(accepted)
      if (isCommitted) this.replica.deliver(accepted)
    }
  }

  snapshots(): readonly string[] {
    return this.disk.listSnapshots().map(({ name }) => name)
  }
}
