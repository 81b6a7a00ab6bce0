import { assert } from '../base/assert.ts'

/**
 * Epoch in the high 32 bits, counter in the low ones, as one safe integer: compare with < and ===.
 * Epochs stay below 2^21; what the wire claims beyond that fails to decode.
 */
export type Zxid = number

const COUNTER_SPAN = 2 ** 32
/** Beyond it a zxid would be no safe integer. */
export const EPOCH_MAX: number = 2 ** 21 - 1

export function makeZxid(epoch: number, counter: number): Zxid {
  assert(Number.isInteger(epoch) && epoch >= 0 && epoch <= EPOCH_MAX, `epoch ${epoch}`)
  assert(Number.isInteger(counter) && counter >= 0 && counter < COUNTER_SPAN, `counter ${counter}`)
  return epoch * COUNTER_SPAN + counter
}

export const epochOf = (zxid: Zxid): number => Math.floor(zxid / COUNTER_SPAN)
export const counterOf = (zxid: Zxid): number => zxid >>> 0
export const formatZxid = (zxid: Zxid): string => `0x${zxid.toString(16)}`

/** Whether nothing is missing between them: each proposal of an epoch adds one, the first is 1. */
export const follows = (zxid: Zxid, last: Zxid): boolean =>
  zxid === last + 1 || (epochOf(zxid) > epochOf(last) && counterOf(zxid) === 1)
