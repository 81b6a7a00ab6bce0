import fc from 'fast-check'
import { JuteWriter } from 'jute-ts'
import { describe, expect, it } from 'vitest'
import { type QuorumPacket, writeQuorumPacket } from '../../../../src/data/records.ts'
import {
  encodePacket,
  NO_ZXID,
  PacketReader,
  type PacketRefusal,
  PacketType,
  packetName,
  SNAP_SIGNATURE,
} from '../../../../src/quorum/wire/packets.ts'
import {
  bytesOf,
  learnerRecordings,
  readLearnerRecording,
} from '../../../support/quorum-recordings.ts'

const encode = ({ type, zxid, data, authinfo }: QuorumPacket): Buffer => {
  const w = new JuteWriter()
  writeQuorumPacket(w, { type, zxid, data, authinfo })
  return w.copy()
}

/** All packets of the bytes, cut in pieces of that size; lent data is copied. */
function cut(bytes: Buffer, pieceBytes: number, max?: number): (QuorumPacket | PacketRefusal)[] {
  const reader = new PacketReader(max)
  const all: (QuorumPacket | PacketRefusal)[] = []
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    // The reader may keep nothing of what it was only lent.
    const lent = Buffer.from(bytes.subarray(at, at + pieceBytes))
    reader.push(lent)
    for (let p = reader.next(); p !== 'more'; p = reader.next()) {
      if ('problem' in p) return [...all, p]
      all.push({ ...p, data: p.data === null ? null : Buffer.from(p.data) })
    }
    lent.fill(0xee)
  }
  return all
}

const SIGNATURE = Buffer.concat([Buffer.of(0, 0, 0, 10), Buffer.from(SNAP_SIGNATURE)])

/** Packets and streams of SNAP as they follow each other, re-encoded. */
function rewrite(bytes: Buffer): { packets: QuorumPacket[]; rewritten: Buffer } {
  const reader = new PacketReader()
  const packets: QuorumPacket[] = []
  const parts: Buffer[] = []
  reader.push(bytes)
  for (let p = reader.next(); p !== 'more'; p = reader.next()) {
    if ('problem' in p) throw new Error(p.problem)
    packets.push(p)
    parts.push(p.authinfo === null ? encodePacket(packetTypeOf(p), p.zxid, p.data) : encode(p))
    if (p.type !== PacketType.snap) continue
    const rest = reader.takeRest()
    const end = rest.indexOf(SIGNATURE) + SIGNATURE.length
    parts.push(rest.subarray(0, end))
    reader.push(rest.subarray(end))
  }
  expect(reader.heldBytes).toBe(0)
  return { packets, rewritten: Buffer.concat(parts) }
}

function packetTypeOf(packet: QuorumPacket): PacketType {
  const type = Object.values(PacketType).find((value) => value === packet.type)
  if (type === undefined) throw new Error(`packet of type ${packet.type}`)
  return type
}

describe('what real servers said to each other', () => {
  it.each(learnerRecordings)('%s decodes to the last byte and is written the same', (name) => {
    const kinds = new Set<number>()
    for (const link of readLearnerRecording(name))
      for (const dir of ['c2s', 's2c'] as const) {
        const bytes = bytesOf(link, dir)
        const { packets, rewritten } = rewrite(bytes)
        expect(rewritten.equals(bytes)).toBe(true)
        for (const { type } of packets) kinds.add(type)
      }
    expect(kinds.size).toBeGreaterThan(10)
  })

  it('has every kind of packet', () => {
    const kinds = new Set(
      learnerRecordings.flatMap((name) =>
        readLearnerRecording(name).flatMap((link) =>
          (['c2s', 's2c'] as const).flatMap((dir) =>
            rewrite(bytesOf(link, dir)).packets.map(({ type }) => type),
          ),
        ),
      ),
    )
    expect([...kinds].sort((a, b) => a - b)).toEqual(Object.values(PacketType))
  })
})

describe('the packet reader', () => {
  const packets: QuorumPacket[] = [
    { type: PacketType.ping, zxid: 7, data: null, authinfo: null },
    { type: PacketType.proposal, zxid: 2 ** 33 + 1, data: Buffer.from('entry'), authinfo: null },
    {
      type: PacketType.request,
      zxid: NO_ZXID,
      data: Buffer.alloc(0),
      authinfo: [
        { scheme: 'ip', id: '127.0.0.1' },
        { scheme: 'digest', id: '' },
      ],
    },
    { type: PacketType.upToDate, zxid: NO_ZXID, data: null, authinfo: [] },
  ]
  const bytes = Buffer.concat(packets.map(encode))

  it.each([1, 2, 3, 19, 20, 21, 1000])('takes packets in pieces of %i bytes', (pieceBytes) => {
    expect(cut(bytes, pieceBytes)).toEqual(packets)
  })

  it('writes what it reads', () => {
    for (const p of packets)
      expect(encodePacket(packetTypeOf(p), p.zxid, p.data, p.authinfo)).toEqual(encode(p))
  })

  it('takes a large packet byte by byte in linear time and memory', () => {
    const large = encodePacket(PacketType.proposal, 1, Buffer.alloc(1 << 18, 7))
    expect(cut(large, 1)).toEqual([
      { type: 2, zxid: 1, data: Buffer.alloc(1 << 18, 7), authinfo: null },
    ])
  })

  it('measures many ids once, not once a byte', () => {
    const authinfo = Array.from({ length: 20_000 }, () => ({ scheme: 'ip', id: 'x' }))
    const many = encodePacket(PacketType.request, NO_ZXID, null, authinfo)
    expect(cut(many, 1)).toEqual([{ type: 1, zxid: -1, data: null, authinfo }])
  })

  it.each([
    ['a length below -1', encodePacket(PacketType.ping, 0).fill(0xfe, 12, 16), 'negative length'],
    ['a count below -1', encodePacket(PacketType.ping, 0).fill(0xfe, 16, 20), 'negative length'],
    ['a packet above the bound', encodePacket(2, 1, Buffer.alloc(81)), 'packet too large'],
    ['a length above the bound', encodePacket(2, 1).fill(0x7f, 12, 16), 'packet too large'],
    ['ids above the bound', encodePacket(2, 1).fill(0x0f, 16, 20), 'packet too large'],
    ['a zxid of more than 53 bits', encodePacket(5, 0).fill(0x7f, 4, 8), 'undecodable'],
    ['a null scheme', encodePacket(1, 0, null, [{ scheme: '', id: '' }]).fill(0xff, 20, 24), 'und'],
  ])('refuses %s, at once and for good', (_, wrong, problem) => {
    for (const pieceBytes of [1, 1000]) {
      const got = cut(Buffer.concat([encodePacket(PacketType.ping, 7), wrong]), pieceBytes, 100)
      expect(got.length).toBe(2)
      expect(got[1]).toEqual({ problem: expect.stringContaining(problem) })
    }
    const reader = new PacketReader(100)
    reader.push(wrong)
    const refusal = reader.next()
    reader.push(bytes)
    expect(reader.next()).toBe(refusal)
  })

  it('takes a packet of just the bound', () => {
    expect(cut(encodePacket(2, 1, Buffer.alloc(80)), 7, 100)).toHaveLength(1)
  })

  it('gives out a raw stream between packets and takes back what is none of it', () => {
    const reader = new PacketReader()
    const stream = Buffer.from('not packets')
    reader.push(Buffer.concat([encodePacket(PacketType.snap, 9), stream.subarray(0, 3)]))
    expect(reader.next()).toMatchObject({ type: PacketType.snap, zxid: 9 })
    expect(reader.takeRest().toString()).toBe('not')
    expect(reader.heldBytes).toBe(0)
    const end = Buffer.concat([stream.subarray(3), encodePacket(PacketType.ping, 1)])
    reader.push(end.subarray(8))
    expect(reader.next()).toMatchObject({ type: PacketType.ping, zxid: 1 })
    expect(reader.next()).toBe('more')
    expect(reader.takeRest().length).toBe(0)
  })

  it('survives any bytes, cut anywhere, with the same outcome', () => {
    const some = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((raw) => Buffer.from(raw)),
      fc.constantFrom(...packets.map(encode)),
    )
    fc.assert(
      fc.property(fc.array(some, { maxLength: 6 }), fc.integer({ min: 1, max: 30 }), (all, n) => {
        const raw = Buffer.concat(all)
        expect(cut(raw, n, 200)).toEqual(cut(raw, raw.length + 1, 200))
      }),
    )
  })

  it('names packets for the log', () => {
    expect([packetName(10), packetName(99)]).toEqual(['NEWLEADER', 'type 99'])
  })
})
