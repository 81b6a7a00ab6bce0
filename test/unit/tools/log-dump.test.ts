import { describe, expect, it } from 'vitest'
import { dumpLog, type LogDumpOptions } from '../../../src/tools/log-dump.ts'
import { goldenDisk, goldenJson, MemoryDisk, record } from '../../support/memory-disk.ts'

const all: LogDumpOptions = { json: false, from: 0, to: Number.MAX_SAFE_INTEGER }
const json: LogDumpOptions = { ...all, json: true }

function dump(disk: MemoryDisk, options: LogDumpOptions): string[] {
  return disk.listLogs().flatMap((file) => [...dumpLog(disk, file, options)])
}

describe.each(['standalone', 'gz', 'snappy'])('the logs of datadir-%s', (name) => {
  const disk = goldenDisk(`datadir-${name}`)

  it('are dumped as JSON with all their fields', () => {
    const found = dump(disk, json).map((line): unknown => JSON.parse(line))
    expect(found).toEqual(goldenJson<readonly object[]>(`datadir-${name}/txns.json`))
  })

  it('are dumped as text, one line a txn', () => {
    const lines = dump(disk, all)
    for (const line of lines) expect(line).toMatch(/^[^\n]*\n$/)
    const files = disk.listLogs().length
    expect(lines.length - 2 * files).toBe(
      goldenJson<readonly object[]>(`datadir-${name}/txns.json`).length,
    )
  })
})

describe('the text', () => {
  const lines = dump(goldenDisk('datadir-standalone'), all)
  const only = (type: string): string[] =>
    lines.filter((line) => line.includes(` ${type} `)).map((line) => line.trimEnd())

  it('says what the toolkit of 3.9 says', () => {
    expect(lines).toContain(
      '11/21/26, 10:38:10 PM UTC session 0x100000d0e020000 cxid 0x28 zxid 0x2f error -101\n',
    )
    expect(only('closeSession')[0]).toContain("closeSession v{'/eph/s3-0000000005,'/eph/s3}")
    expect(only('setACL')[0]).toContain(
      "setACL '/acl,v{s{31,s{'digest,'bob:ikIaKsbtGweaHnb/jKn7OHqbunM=}},s{1,s{'world,'anyone}}},1",
    )
    expect(only('multi')[1]).toContain(
      "multi create:/m/x,,[31,s{'world,'anyone}],false,8;setData:/m/a,zz,2;error:-103;error:-2;error:-2",
    )
  })

  it('shows the zxids that are wanted', () => {
    const some = dump(goldenDisk('datadir-standalone'), { ...json, from: 0x2e, to: 0x30 })
    const zxids = some.map((line) => JSON.parse(line).header.zxid)
    expect(zxids).toEqual(['46', '47', '48'])
  })
})

describe('damage', () => {
  const good = goldenDisk('datadir-standalone').files.get('log.2f') ?? Buffer.alloc(0)

  function damaged(change: (bytes: Buffer) => Buffer): MemoryDisk {
    return new MemoryDisk({ 'log.2f': change(Buffer.from(good)) })
  }

  it('is marked at the record whose checksum is wrong', () => {
    const disk = damaged((bytes) => {
      bytes.writeUInt8(bytes.readUInt8(30) ^ 1, 30)
      return bytes
    })
    expect(dump(disk, all)[1]).toMatch(/^CRC ERROR - .* error -101 \(offset 16\)\n$/)
    const [first] = dump(disk, json)
    expect(JSON.parse(first ?? '')).toMatchObject({
      offset: 16,
      problem: 'the checksum does not match the content',
    })
    const [file] = disk.listLogs()
    if (file === undefined) throw new Error('no log')
    const run = dumpLog(disk, file, all)
    let step = run.next()
    while (step.done !== true) step = run.next()
    expect(step.value).toEqual({ records: 44, problems: 1 })
  })

  it('is marked where the records end too early', () => {
    const disk = damaged((bytes) => bytes.subarray(0, 100))
    expect(dump(disk, all).at(-1)).toMatch(/^DAMAGED - End of log\.2f at offset 65 after 1 txns: /)
    expect(JSON.parse(dump(disk, json).at(-1) ?? '')).toEqual({
      file: 'log.2f',
      offset: 65,
      problem: 'the last record was never written to its end',
    })
  })

  it('is marked where a good checksum covers what does not decode', () => {
    const bytes = Buffer.concat([good.subarray(0, 16), record(0x2f, Buffer.alloc(0))])
    const disk = new MemoryDisk({ 'log.2f': bytes })
    expect(dump(disk, all)[1]).toMatch(
      /^DAMAGED - .* error {2}\(offset 16: the body of the txn does not decode\)\n$/,
    )
  })
})
