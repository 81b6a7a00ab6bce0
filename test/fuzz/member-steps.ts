import fc from 'fast-check'
import { OpCode } from '../../src/data/op-code.ts'
import { readScenario, scenarioNames, type WireFrame } from '../support/golden-wire.ts'
import { framed } from '../support/memory-server.ts'
import { damage, recordBytes } from './arbitraries.ts'
import { partOps, rareOps, readOps, type Wish, wish } from './member-wishes.ts'

/**
 * What the clients of a fuzzed member do. Steps are plain data, so that a counterexample can be read;
 * which session or which of several clients a number stands for is settled when they are run.
 */
export type Step =
  | { readonly do: 'open'; readonly client: number }
  | {
      readonly do: 'connect'
      readonly client: number
      readonly timeOut: number
      /** A number: one of the sessions that were made before. */
      readonly session: 'new' | 'unknown' | number
      readonly isPasswordRight: boolean
      readonly isOld: boolean
      readonly isAhead: boolean
      readonly spoil: Spoil | null
    }
  | {
      readonly do: 'send'
      readonly client: number
      readonly items: readonly Item[]
      /** Where the bytes are cut into chunks. */
      readonly cuts: readonly number[]
    }
  | { readonly do: 'vanish'; readonly client: number }
  /** The client does not take what it is sent, or goes on to. */
  | { readonly do: 'stick'; readonly client: number; readonly isStuck: boolean }
  /** Writes to the disk stay unacknowledged, or are acknowledged again. */
  | { readonly do: 'hold'; readonly isHeld: boolean }
  | { readonly do: 'release' }
  | { readonly do: 'pass'; readonly ms: number }

export type Spoil = (sound: Buffer) => Buffer

export type Item =
  | { readonly is: 'sound'; readonly wish: Wish }
  | { readonly is: 'spoiled'; readonly wish: Wish; readonly spoil: Spoil }
  | { readonly is: 'recorded'; readonly index: number; readonly spoil: Spoil | null }
  /** Any op with any body. */
  | { readonly is: 'odd'; readonly op: number; readonly body: Buffer }
  /** Asks for the same node so many times in one request. */
  | { readonly is: 'greedy'; readonly times: number }
  /** A ping with a long tail: of the largest payload that is let in, or of one byte more. */
  | { readonly is: 'long'; readonly isTooLong: boolean }
  /** Bytes that are no frame. */
  | { readonly is: 'noise'; readonly bytes: Buffer }

export const CLIENTS_MAX = 4
const XID_PING = -2

/** Null otherwise. */
const sometimes = <T>(what: fc.Arbitrary<T>, share: number): fc.Arbitrary<T | null> =>
  fc.oneof(
    { weight: 60 - 60 * share, arbitrary: fc.constant(null) },
    { weight: 60 * share, arbitrary: what },
  )

/** Ops that a client may not send, each the end of its connection. */
const oddOps = [OpCode.check, OpCode.deleteContainer, OpCode.createSession, 0, 10, 77, -1, -12]

const recorded = scenarioNames
  .flatMap((name) => readScenario(name).events)
  .filter((event): event is WireFrame => event.kind === 'frame' && event.direction === 'request')

const item: fc.Arbitrary<Item> = fc.oneof(
  { weight: 100, arbitrary: fc.record({ is: fc.constant('sound' as const), wish }) },
  { weight: 4, arbitrary: fc.record({ is: fc.constant('spoiled' as const), wish, spoil: damage }) },
  {
    weight: 2,
    arbitrary: fc.record({
      is: fc.constant('recorded' as const),
      index: fc.nat(recorded.length - 1),
      spoil: sometimes(damage, 1 / 2),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      is: fc.constant('odd' as const),
      op: fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(...partOps, ...readOps, ...rareOps) },
        { weight: 1, arbitrary: fc.constantFrom(...oddOps) },
      ),
      body: recordBytes,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      is: fc.constant('greedy' as const),
      times: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      is: fc.constant('long' as const),
      isTooLong: sometimes(fc.constant(true), 1 / 3).map((isTooLong) => isTooLong !== null),
    }),
  },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('noise' as const), bytes: recordBytes }) },
)

const client = fc.nat(CLIENTS_MAX - 1)
const connect = fc.record({
  do: fc.constant('connect' as const),
  client,
  timeOut: fc.constantFrom(0, 400, 400, 1000, 4000, -1, 0x7fffffff),
  session: fc.oneof(
    { weight: 6, arbitrary: fc.constant('new' as const) },
    { weight: 1, arbitrary: fc.constant('unknown' as const) },
    { weight: 3, arbitrary: fc.nat(2) },
  ),
  isPasswordRight: fc.boolean(),
  isOld: fc.boolean(),
  isAhead: sometimes(fc.constant(true), 1 / 30).map((isAhead) => isAhead !== null),
  spoil: sometimes(damage, 1 / 12),
})
const send = fc.record({
  do: fc.constant('send' as const),
  client,
  items: fc.array(item, { minLength: 1, maxLength: 10 }),
  cuts: fc.oneof(fc.constant([]), fc.array(fc.nat(), { maxLength: 5 })),
})

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 20, arbitrary: send },
  { weight: 5, arbitrary: connect },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('open' as const), client }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('vanish' as const), client }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('stick' as const), client, isStuck: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('hold' as const), isHeld: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom(1, 60, 200, 900, 900),
    }),
  },
)

export const steps: fc.Arbitrary<readonly Step[]> = fc.array(step, { maxLength: 60, size: 'max' })

/** The payload of a recorded frame, whatever it is. */
export const recordedPayload = (index: number): Buffer =>
  Buffer.from(recorded[index]?.bytes.subarray(4) ?? [])

export function oddPayload(xid: number, op: number, body: Buffer): Buffer {
  const header = Buffer.alloc(8)
  header.writeInt32BE(xid, 0)
  header.writeInt32BE(op, 4)
  return Buffer.concat([header, body])
}

/** Pings, like every request, are read as far as their record goes. */
export const longFrame = (payloadBytes: number): Buffer =>
  framed(oddPayload(XID_PING, OpCode.ping, Buffer.alloc(payloadBytes - 8)))

export const spoiled = (payload: Buffer, spoil: Spoil | null): Buffer =>
  framed(spoil === null ? payload : spoil(payload))
