/**
 * A client whose connection breaks with a write under way comes back with its session, counts its xids
 * anew as libraries do, and must be told of what it asks then, and of nothing else.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Err } from '../../../src/data/error-code.ts'
import { OpCode } from '../../../src/data/op-code.ts'
import { create, exists, setData } from '../../support/requests.ts'
import { type Attachment, WireClient } from '../../support/wire-client.ts'
import { Ensemble } from '../harness/ensemble.ts'
import { reportOnFailure } from '../harness/ensemble-checks.ts'
import type { Member } from '../harness/ensemble-member.ts'
import { defaultKind, type ServerKind } from '../harness/server.ts'

const SESSION_MS = 20_000
const TRIES = 200
const subject = defaultKind()
/** Of equals the last one leads. */
const leaders: readonly ServerKind[] = [subject, 'apache-3.8', 'apache-3.9']

interface Outcomes {
  right: number
  wrong: number
  /** Connections closed without an answer. */
  closed: number
  /** Of the creates that were under way, one for each second try, so many took effect. */
  landed: number
}

/** A new connection, whose xids begin with that one. A server that is behind does not turn it away. */
async function attach(member: Member, session: Attachment, firstXid: number): Promise<WireClient> {
  const client = await WireClient.attach(member.port, SESSION_MS, session)
  client.lastXid = firstXid - 1
  return client
}

/** What becomes of a create of a node that is there, when a write is under way on a broken connection. */
async function tryMany(from: Member, to: Member, firstXid: number): Promise<Outcomes> {
  const outcomes: Outcomes = { right: 0, wrong: 0, closed: 0, landed: 0 }
  const first = await WireClient.open(from.port, SESSION_MS)
  const root = `/${first.sessionId}`
  await first.call(OpCode.create, create(root))
  const session: Attachment = { sessionId: first.sessionId, passwd: first.passwd, lastZxid: 0 }
  first.vanish()
  for (let i = 0; i < TRIES; i += 1) {
    const leaving = await attach(from, session, firstXid)
    const name = `${root}/${i}`
    const write = i % 2 === 0 ? setData(root, name) : create(name)
    const lost = leaving.call(i % 2 === 0 ? OpCode.setData : OpCode.create, write)
    leaving.vanish()
    await expect(lost).rejects.toThrow()
    for (let isAnswered = false; !isAnswered; ) {
      const back = await attach(to, session, firstXid)
      try {
        const { err, body } = await back.call(OpCode.create, create(root))
        isAnswered = true
        if (err === Err.nodeExists && body.remaining === 0) outcomes.right += 1
        else outcomes.wrong += 1
      } catch {
        outcomes.closed += 1
      }
      back.vanish()
    }
  }
  const reader = await attach(to, session, firstXid)
  for (let i = 1; i < TRIES; i += 2) {
    const { err } = await reader.call(OpCode.exists, exists(`${root}/${i}`))
    if (err === Err.ok) outcomes.landed += 1
  }
  reader.vanish()
  return outcomes
}

describe.each(leaders)('a client that comes back, under a leader of kind %s', (kind) => {
  let ensemble: Ensemble
  let followers: Member[] = []

  beforeAll(async () => {
    ensemble = await Ensemble.create({ kinds: [subject, subject, kind] })
    const leader = await ensemble.start(1, 3)
    expect(leader).toBe(ensemble.member(3))
    await ensemble.start(2)
    followers = ensemble.members.filter((member) => member !== leader)
  })
  afterAll(async () => {
    await ensemble?.close()
  })

  for (const firstXid of [0, 1])
    for (const where of ['the same follower', 'another follower'] as const)
      it(`is told the truth by ${where}, with xids from ${firstXid} on`, async () => {
        reportOnFailure(ensemble)
        const [from, other] = followers
        if (from === undefined || other === undefined) throw new Error('there are two followers')
        const to = where === 'another follower' ? other : from
        const outcomes = await tryMany(from, to, firstXid)
        expect(outcomes).toMatchObject({ right: TRIES, wrong: 0, closed: 0 })
        expect(outcomes.landed).toBeGreaterThan(0)
      })
})
