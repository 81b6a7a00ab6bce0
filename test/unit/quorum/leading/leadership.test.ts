import { describe, expect, it } from 'vitest'
import { makeZxid } from '../../../../src/data/zxid.ts'
import { Leadership } from '../../../../src/quorum/leading/leadership.ts'

const z = makeZxid

function leading(): Leadership {
  const leadership = new Leadership(0)
  leadership.establish(4)
  leadership.begin()
  return leadership
}

describe('a leadership', () => {
  it('counts its proposals from the beginning of its epoch', () => {
    const leadership = leading()
    expect([leadership.lastProposedZxid, leadership.lastCommittedZxid]).toEqual([z(4, 0), z(4, 0)])
    leadership.onProposed(z(4, 1))
    leadership.onProposed(z(4, 2))
    leadership.onCommitted(z(4, 1))
    expect([leadership.lastProposedZxid, leadership.lastCommittedZxid]).toEqual([z(4, 2), z(4, 1)])
  })

  it('has one epoch, and begins once', () => {
    expect(() => leading().establish(5)).toThrow('one epoch')
    expect(() => leading().begin()).toThrow('once')
    expect(() => new Leadership(0).begin()).toThrow('without an epoch')
    expect(() => new Leadership(0).onProposed(1)).toThrow('before a quorum has synchronised')
  })

  it('leaves no gap in what is proposed, and commits in that order', () => {
    expect(() => leading().onProposed(z(4, 2))).toThrow('after 0x400000000')
    expect(() => leading().onProposed(z(5, 1))).toThrow()
    expect(() => leading().onCommitted(z(4, 1))).toThrow('was never proposed')
    const leadership = leading()
    for (const counter of [1, 2]) leadership.onProposed(z(4, counter))
    expect(() => leadership.onCommitted(z(4, 2))).toThrow('after 0x400000000')
  })
})
