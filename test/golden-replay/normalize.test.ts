import { describe, expect, it } from 'vitest'
import { readScenario, scenarioNames, type WireFrame } from '../support/golden-wire.ts'
import type { WireMessage } from '../support/wire-decoder.ts'
import { normalize } from '../support/wire-normal.ts'

const messagesOf = (name: string): WireMessage[] =>
  readScenario(name)
    .events.filter((event): event is WireFrame => event.kind === 'frame')
    .map((frame) => frame.message)

describe('normalize', () => {
  it('leaves nothing of where and when a scenario was recorded', () => {
    for (const name of scenarioNames) {
      const text = JSON.stringify(normalize(messagesOf(name)), (_, value: unknown) =>
        typeof value === 'bigint' ? `${value}n` : value,
      )
      expect(text).not.toMatch(/"[cm]time":[1-9]|"(czxid|mzxid|pzxid|zxid)":[1-9]|"\d{12,}n"/)
    }
  })

  it('gives one name to one session and one zxid', () => {
    const messages = normalize(messagesOf('raw-handshake'))
    expect(messages.slice(0, 4)).toMatchObject([
      { kind: 'connectRequest', record: { sessionId: 0n, passwd: '16 zeros' } },
      { kind: 'connectResponse', record: { sessionId: 'session 1', passwd: 'password 1' } },
      { kind: 'connectRequest', record: { sessionId: 'session 1', passwd: 'password 1' } },
      { kind: 'connectResponse', record: { sessionId: 'session 1', passwd: 'password 1' } },
    ])
    const stat = { czxid: 'zxid 1', mzxid: 'zxid 2', ctime: 'time', version: 1 }
    expect(normalize(messagesOf('raw-pipeline'))).toContainEqual(
      expect.objectContaining({
        kind: 'reply',
        header: { xid: 3, zxid: 'zxid 2', err: 0 },
        body: { kind: 'record', record: { stat: expect.objectContaining(stat) } },
      }),
    )
  })

  it('ignores the order of sets only, and header zxids on demand', () => {
    const reply = (children: string[], zxid: number): WireMessage => ({
      kind: 'reply',
      header: { xid: 1, zxid, err: 0 },
      op: 8,
      body: { kind: 'record', record: { children } },
    })
    const one = [reply(['b', 'a'], 5), reply(['a'], 5)]
    const other = [reply(['a', 'b'], 5), reply(['a'], 6)]
    expect(normalize(one)).not.toEqual(normalize(other))
    expect(normalize(one, { headerZxids: false })).toEqual(normalize(other, { headerZxids: false }))
    const watches = (dataWatches: string[]): WireMessage => ({
      kind: 'request',
      xid: 1,
      op: 101,
      body: { kind: 'record', record: { dataWatches } },
    })
    expect(normalize([watches(['/a', '/b'])])).not.toEqual(normalize([watches(['/b', '/a'])]))
  })

  it('makes a scenario equal to itself on a server with another history', () => {
    const reply = (zxid: number, time: number, owner: bigint): WireMessage => ({
      kind: 'reply',
      header: { xid: 1, zxid: zxid + 6, err: 0 },
      op: 3,
      body: {
        kind: 'record',
        record: { stat: { czxid: zxid, mzxid: zxid + 6, ctime: time, ephemeralOwner: owner } },
      },
    })
    expect(normalize([reply(3, 1, 8n)])).toEqual(normalize([reply(7000, 86_400_000, 9n)]))
    expect(normalize([reply(3, 0, 8n)])).not.toEqual(normalize([reply(3, 1, 8n)]))
    expect(normalize([reply(3, 1, 0n)])).not.toEqual(normalize([reply(3, 1, 8n)]))
  })
})
