import fc from 'fast-check'
import { JuteReader } from 'jute-ts'
import { describe, expect, it, vi } from 'vitest'
import { OpCode } from '../../src/data/op-code.ts'
import { readGetDataResponse, readWatcherEvent } from '../../src/data/records.ts'
import { readScenario, scenarioNames, type WireFrame } from '../support/golden-wire.ts'
import { framed, type MemoryClient, MemoryServer } from '../support/memory-server.ts'
import { create, getData, setData } from '../support/requests.ts'
import { cutInto, damage, fuzzRuns, fuzzTimeoutMs, recordBytes } from './arbitraries.ts'

vi.setConfig({ testTimeout: fuzzTimeoutMs })

/** Where the fuzz does not come: no recording names it, and ten random letters will not. */
const path = '/not-for-the-fuzz'
const secret = Buffer.from('still here')

const frames = scenarioNames
  .flatMap((name) => readScenario(name).events)
  .filter((event): event is WireFrame => event.kind === 'frame' && event.direction === 'request')
const requests = frames.filter(({ message }) => message.kind === 'request')

const ops = [...Object.values(OpCode), 0, 10, 77, -2, 0x7fffffff]
/** A request with a good header and any body. */
const anyRequest = fc
  .tuple(fc.integer({ min: -9, max: 99 }), fc.constantFrom(...ops), recordBytes)
  .map(([xid, op, body]) => {
    const header = Buffer.alloc(8)
    header.writeInt32BE(xid, 0)
    header.writeInt32BE(op, 4)
    return framed(Buffer.concat([header, body]))
  })
const recorded = fc.constantFrom(...requests).map(({ bytes }) => bytes)
const damaged = fc
  .tuple(recorded, damage)
  .map(([bytes, spoil]) => framed(spoil(Buffer.from(bytes.subarray(4)))))
const conversation = fc
  .array(
    fc.oneof(
      { weight: 4, arbitrary: recorded },
      { weight: 4, arbitrary: damaged },
      { weight: 4, arbitrary: anyRequest },
      { weight: 1, arbitrary: recordBytes },
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts))
const cuts = fc.array(fc.nat(), { maxLength: 4 })

const settings = { extendedTypesEnabled: 'true', maxClientCnxns: '0', 'jute.maxbuffer': '4096' }

/** A client that wants nothing but its znode, and a watch on it. */
function bystander(server: MemoryServer): MemoryClient {
  const client = server.connect()
  expect(client.call(OpCode.create, create(path, { data: secret })).err).toBe(0)
  expect(client.call(OpCode.getData, getData(path, true)).err).toBe(0)
  return client
}

/** Neither its znode, nor its session, nor its watch was touched, and it is answered as ever. */
function expectUntouched(client: MemoryClient): void {
  expect([client.isClosed, client.isPaused, client.received.length]).toEqual([false, false, 0])
  const { err, body } = client.call(OpCode.getData, getData(path, false))
  expect([err, readGetDataResponse(body).data]).toEqual([0, secret])
  client.send(OpCode.setData, setData(path, secret))
  const [event, reply] = client.takeReplies()
  expect([event?.xid, reply?.err]).toEqual([-1, 0])
  expect(readWatcherEvent(event?.body ?? new JuteReader()).path).toBe(path)
}

/** What came back is whole frames, and the connection is not left waiting for nothing. */
function expectSoundReplies(client: MemoryClient): void {
  for (const frame of client.takeFrames()) expect(frame.length).toBeGreaterThanOrEqual(16)
  expect(client.received.length).toBe(0)
}

function expectCalm(server: MemoryServer): void {
  expect(server.logged.filter(({ level }) => level === 'error')).toEqual([])
}

describe('whatever one client sends', () => {
  it('before a session: the server goes on, and another client does not feel it', () => {
    const first = fc.oneof(
      recordBytes,
      conversation,
      fc
        .tuple(fc.constantFrom(...frames), damage)
        .map(([{ bytes }, spoil]) => framed(spoil(Buffer.from(bytes.subarray(4))))),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(first, cuts), { maxLength: 4 }), (connections) => {
        const server = new MemoryServer({ settings })
        const other = bystander(server)
        for (const [bytes, cutAt] of connections) {
          const client = server.open()
          for (const chunk of cutInto(cutAt)(bytes)) if (!client.isClosed) client.sendBytes(chunk)
          client.takeFrames()
          expect(client.received.length).toBe(0)
        }
        server.pass(500)
        expectUntouched(other)
        expectCalm(server)
      }),
      { numRuns: fuzzRuns },
    )
  })

  it('in a session: likewise, and replies are whole', () => {
    fc.assert(
      fc.property(conversation, cuts, fc.boolean(), (bytes, cutAt, vanishes) => {
        const server = new MemoryServer({ settings })
        const other = bystander(server)
        const client = server.connect()
        for (const chunk of cutInto(cutAt)(bytes)) if (!client.isClosed) client.sendBytes(chunk)
        expectSoundReplies(client)
        if (vanishes) client.vanish()
        server.pass(500)
        expectUntouched(other)
        expectCalm(server)
      }),
      { numRuns: fuzzRuns },
    )
  })
})
