import { describe, expect, it } from 'vitest'
import type { LogFields, Logger } from '../../../src/base/logger.ts'
import { RECORD_FRAME_BYTES } from '../../../src/persistence/txn-log-format.ts'
import { loadMember } from '../../../src/server/storage/load.ts'
import { readLogRecords } from '../../../src/tools/log-records.ts'
import {
  copyLog,
  type LogCopy,
  planChop,
  planCut,
  planRepair,
} from '../../../src/tools/log-rewrite.ts'
import { goldenDisk, MemoryDisk } from '../../support/memory-disk.ts'

const NAME = 'log.2f'
const golden = goldenDisk('datadir-standalone')
const good = golden.files.get(NAME) ?? Buffer.alloc(0)
const records = [...readLogRecords(golden, golden.file(NAME))]
const offsets = records.map(({ offset }) => offset)
const contentEnd = (): number => {
  const last = records.at(-1)
  return (last?.offset ?? 0) + (last?.length ?? 0) + RECORD_FRAME_BYTES
}
const offsetOf = (index: number): number => offsets[index] ?? Number.NaN

/** A data directory up to the first record of NAME, and NAME as given. */
function diskWith(log: Buffer): MemoryDisk {
  const files = { 'snapshot.2d': golden.files.get('snapshot.2d') ?? Buffer.alloc(0), [NAME]: log }
  const older = golden.files.get('log.1') ?? Buffer.alloc(0)
  return new MemoryDisk({ ...files, 'log.1': older })
}

function flipped(...at: readonly number[]): Buffer {
  const bytes = Buffer.from(good)
  for (const one of at) bytes.writeUInt8(bytes.readUInt8(one) ^ 0x40, one)
  return bytes
}

function copied(disk: MemoryDisk, copy: LogCopy): Buffer {
  return Buffer.concat([...copyLog(disk, disk.file(NAME), copy)])
}

function load(disk: MemoryDisk): ReturnType<typeof loadMember> {
  const none = (_message: string, _fields?: LogFields): void => {}
  const logger: Logger = { debug: none, info: none, warn: none, error: none }
  const rules = { extendedTypesEnabled: true, emulate353TtlNodes: false, digestEnabled: true }
  return loadMember(disk, rules, logger)
}

/** The zxid that a server comes up with. */
function lastZxid(log: Buffer): number | string {
  const loaded = load(diskWith(log))
  return loaded.kind === 'refused' ? loaded.reason : loaded.lastZxid
}

const zxidAt = (index: number): number => records[index]?.header?.zxid ?? Number.NaN

describe('planRepair', () => {
  it('gives records the checksums of their content', () => {
    const disk = diskWith(flipped(offsetOf(1) + 6, offsetOf(7) + 5))
    expect(load(disk).kind).toBe('refused')
    const plan = planRepair(disk, disk.file(NAME))
    if (typeof plan === 'string') throw new Error(plan)
    expect(plan.bad.map(({ offset }) => offset)).toEqual([offsetOf(1), offsetOf(7)])
    expect(plan.bad[0]?.line).toMatch(/^CRC ERROR - .*zxid 0x30 error -8/)
    const checksums = new Map(plan.bad.map(({ offset, adler32 }) => [offset, adler32]))
    const fixed = copied(disk, { ...plan.copy, checksums })
    expect(fixed.equals(good.subarray(0, contentEnd()))).toBe(true)
    expect(lastZxid(fixed)).toBe(0x5a)
  })

  it('lets through what nobody wants repaired', () => {
    const disk = diskWith(flipped(offsetOf(1) + 6))
    const plan = planRepair(disk, disk.file(NAME))
    if (typeof plan === 'string') throw new Error(plan)
    expect(copied(disk, plan.copy).equals(flipped(offsetOf(1) + 6).subarray(0, contentEnd()))).toBe(
      true,
    )
  })

  it('leaves a torn end out, and says so', () => {
    const disk = diskWith(good.subarray(0, offsetOf(5) + 20))
    const plan = planRepair(disk, disk.file(NAME))
    if (typeof plan === 'string') throw new Error(plan)
    expect(plan.tail).toBe(`offset ${offsetOf(5)}: the last record was never written to its end`)
    expect(lastZxid(copied(disk, plan.copy))).toBe(zxidAt(4))
  })

  it('adds the end mark that alone is missing', () => {
    const disk = diskWith(good.subarray(0, contentEnd() - 1))
    const plan = planRepair(disk, disk.file(NAME))
    if (typeof plan === 'string') throw new Error(plan)
    expect(copied(disk, plan.copy).equals(good.subarray(0, contentEnd()))).toBe(true)
  })

  it('refuses what a checksum cannot repair', () => {
    const wrongLength = diskWith(flipped(offsetOf(3) + 10))
    expect(planRepair(wrongLength, wrongLength.file(NAME))).toMatch(
      new RegExp(`^offset ${offsetOf(3)}: `),
    )
    const noLog = diskWith(Buffer.from('this is no log at all'))
    expect(planRepair(noLog, noLog.file(NAME))).toBe(
      'offset 0: this is not the header of a transaction log',
    )
  })
})

describe('planCut', () => {
  it.each([
    ['a wrong checksum', flipped(offsetOf(6) + 30)],
    ['a wrong length', flipped(offsetOf(6) + 10)],
    ['a torn record', good.subarray(0, offsetOf(6) + 20)],
    ['a gap', Buffer.concat([good.subarray(0, offsetOf(6)), good.subarray(offsetOf(7))])],
  ])('cuts before %s, and a server goes on from there', (_, log) => {
    const disk = diskWith(log)
    const plan = planCut(disk, disk.file(NAME), undefined)
    if (plan === undefined || typeof plan === 'string') throw new Error(plan)
    expect(plan.copy).toMatchObject({ keepTo: offsetOf(6), records: 6, addEndMark: false })
    expect(lastZxid(copied(disk, plan.copy))).toBe(zxidAt(5))
  })

  it('does what a refused start asks for', () => {
    const disk = diskWith(flipped(offsetOf(6) + 30))
    const refused = load(disk)
    if (refused.kind !== 'refused') throw new Error('loaded')
    const offset = Number(/--cut --at (\d+) log\.2f/.exec(refused.remedy)?.[1])
    const plan = planCut(disk, disk.file(NAME), offset)
    if (plan === undefined || typeof plan === 'string') throw new Error(plan)
    expect(lastZxid(copied(disk, plan.copy))).toBe(zxidAt(5))
  })

  it('finds nothing in a good log', () => {
    expect(planCut(golden, golden.file(NAME), undefined)).toBeUndefined()
  })

  it('cuts a good log where it is told to, and only between records', () => {
    const plan = planCut(golden, golden.file(NAME), offsetOf(2))
    expect(plan).toMatchObject({ copy: { keepTo: offsetOf(2), records: 2 } })
    expect(planCut(golden, golden.file(NAME), offsetOf(2) + 1)).toBe(
      `no record begins at offset ${offsetOf(2) + 1}`,
    )
    expect(planCut(golden, golden.file(NAME), 60_000)).toBe('no record begins at offset 60000')
    const disk = diskWith(flipped(offsetOf(1) + 30))
    expect(planCut(disk, disk.file(NAME), offsetOf(2))).toMatch(/^there is damage before offset/)
  })

  it('leaves nothing of a file without a good header', () => {
    const disk = diskWith(flipped(1))
    expect(planCut(disk, disk.file(NAME), undefined)).toMatchObject({ copy: { keepTo: 0 } })
  })
})

describe('planChop', () => {
  it.each([0, 10, 42])('keeps what is there up to and with record %d', (index) => {
    const plan = planChop(golden, golden.file(NAME), zxidAt(index))
    if (typeof plan === 'string') throw new Error(plan)
    expect(plan.copy.records).toBe(index + 1)
    const chopped = copied(golden, plan.copy)
    expect(chopped.equals(good.subarray(0, offsetOf(index + 1)))).toBe(true)
    expect(lastZxid(chopped)).toBe(zxidAt(index))
  })

  it('takes no notice of damage behind the zxid', () => {
    const torn = diskWith(good.subarray(0, offsetOf(6) + 20))
    expect(planChop(torn, torn.file(NAME), zxidAt(5))).toMatchObject({
      copy: { keepTo: offsetOf(6), records: 6 },
    })
    const flip = diskWith(flipped(offsetOf(6) + 40))
    expect(planChop(flip, flip.file(NAME), zxidAt(5))).toMatchObject({ copy: { records: 6 } })
    expect(planChop(flip, flip.file(NAME), zxidAt(6))).toContain(
      `offset ${offsetOf(6)}: the checksum does not match the content`,
    )
  })

  it('says when there is nothing to chop', () => {
    const file = golden.file(NAME)
    expect(planChop(golden, file, 0x5a)).toBe(
      'zxid 0x5a is the last one: nothing is to be chopped off',
    )
    expect(planChop(golden, file, 0x99)).toBe('the log does not hold zxid 0x99: the last is 0x5a')
    expect(planChop(golden, file, 1)).toBe('the log does not hold zxid 0x1')
  })

  it('names the gaps that it meets', () => {
    const disk = diskWith(
      Buffer.concat([good.subarray(0, offsetOf(6)), good.subarray(offsetOf(7))]),
    )
    const plan = planChop(disk, disk.file(NAME), zxidAt(9))
    expect(plan).toMatchObject({ gaps: ['zxid 0x36 does not follow 0x34'] })
  })
})
