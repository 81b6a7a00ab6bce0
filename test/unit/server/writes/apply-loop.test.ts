import { JuteReader, JuteWriter } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { OpCode } from '../../../../src/data/op-code.ts'
import { MajorityQuorum } from '../../../../src/quorum/membership/quorum-verifier.ts'
import { ApplyBudget } from '../../../../src/server/bounds/apply-budget.ts'
import { WorkBudget } from '../../../../src/server/bounds/work-budget.ts'
import { StageTimer } from '../../../../src/server/stats/stage-timer.ts'
import { DiskLane } from '../../../../src/server/storage/disk-lane.ts'
import { ApplyLoop } from '../../../../src/server/writes/apply-loop.ts'
import { WritePath } from '../../../../src/server/writes/write-path.ts'
import { Decider, digestOf, somebody } from '../../../support/decider.ts'
import { MemoryServer } from '../../../support/memory-server.ts'
import { create, setData } from '../../../support/requests.ts'

const none = (): void => {}
const nobody = {
  beforeApply: none,
  onWriteApplied: none,
  onSynced: none,
  onSessionClosed: none,
}

/** A write path and an apply loop on one tree, whose writes nobody waits for. */
class Applying {
  readonly decider = new Decider()
  readonly errors: string[] = []
  readonly #member = new MemoryServer().member
  readonly #lane = new DiskLane()
  readonly #writePath: WritePath
  readonly #loop: ApplyLoop

  constructor() {
    const { prep, tree } = this.decider
    const { metrics, clock, watches, sessions, digestLog } = this.#member
    const membership = { quorum: new MajorityQuorum([0]) }
    this.#writePath = new WritePath(
      prep,
      this.#lane,
      membership,
      0,
      true,
      metrics,
      new StageTimer(() => 0),
    )
    const error = (message: string): void => {
      this.errors.push(message)
    }
    this.#loop = new ApplyLoop({
      tree,
      watches,
      changes: prep.changes,
      sessions,
      clients: nobody,
      writePath: this.#writePath,
      applyBudget: new ApplyBudget(new WorkBudget(Infinity), Infinity),
      committedLog: undefined,
      digestLog,
      metrics,
      clock,
      stopwatch: () => 0,
      logger: { debug: none, info: none, warn: none, error },
    })
  }

  get mismatches(): number {
    return this.#member.metrics.digestMismatchesCount.value
  }

  get logged(): readonly bigint[] {
    return [...this.#member.digestLog.entries].map(({ digest }) => digest)
  }

  submit(path: string, op: number = OpCode.create): void {
    const w = new JuteWriter()
    const body = op === OpCode.create ? create(path) : setData(path, 'x')
    body(w)
    const request = { ...somebody, cxid: 1, op, owner: 0 }
    this.#writePath.submit(request, new JuteReader(w.copy()), 1000, undefined)
  }

  /** Makes all that was submitted durable, and applies it. */
  run(): void {
    const batch = this.#lane.take(0)
    if (batch === undefined) throw new Error('nothing to write')
    this.#loop.run(0)
    this.#lane.onDurable(batch)
    this.#writePath.onLogged(batch.lastZxid)
    this.#loop.run(0)
  }
}

describe('the apply loop', () => {
  it('applies what has committed, and prep forgets it', () => {
    const applying = new Applying()
    const { prep, tree } = applying.decider
    for (const path of ['/a', '/a/b']) applying.submit(path)
    expect(tree.node('/a')).toBeUndefined()
    expect(prep.changes.length).toBe(4)
    applying.run()
    expect(tree.node('/a/b')).toBeDefined()
    expect(prep.changes.length).toBe(0)
    expect(tree.digest.toBigInt()).toBe(digestOf(tree))
    expect([applying.mismatches, applying.errors]).toEqual([0, []])
  })

  it('counts each digest that differs, tells of it once, and goes on', () => {
    const applying = new Applying()
    applying.submit('/a')
    applying.submit('/b')
    applying.decider.tree.digest.add(1)
    applying.run()
    expect(applying.decider.tree.node('/b')).toBeDefined()
    expect(applying.mismatches).toBe(2)
    expect(applying.errors).toEqual(['tree digest differs from the one in the txn; told once'])
  })

  it('computes each 128th digest anew: a tree that strays from prep is found out', () => {
    const applying = new Applying()
    const { tree } = applying.decider
    applying.submit('/a')
    applying.run()
    const znode = tree.node('/a')
    if (znode === undefined) throw new Error('no /a')
    for (let zxid = 2; zxid <= 128; zxid += 1) {
      applying.submit('/a', OpCode.setData)
      // No txn asks for this, and no digest that prep has computed knows of it.
      if (zxid >= 127) znode.aversion += 1
      applying.run()
      expect(applying.mismatches).toBe(zxid < 128 ? 0 : 1)
    }
    expect(applying.logged).toEqual([digestOf(tree)])
  })
})
