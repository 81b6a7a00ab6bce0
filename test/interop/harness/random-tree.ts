import { expect } from 'vitest'
import type { Prng } from '../../../src/base/prng.ts'
import { openAcl } from '../../../src/data/acl.ts'
import { OpCode } from '../../../src/data/op-code.ts'
import {
  type ACL,
  readGetACLResponse,
  readGetChildren2Response,
  readGetDataResponse,
  type Stat,
} from '../../../src/data/records.ts'
import {
  check,
  create,
  createTtl,
  getChildren,
  getData,
  multi,
  pathOnly,
  remove,
  setAcl,
  setData,
} from '../../support/requests.ts'
import { WireClient } from '../../support/wire-client.ts'

/** Random writes of all kinds, and all that clients can see of what they leave behind. */

/** What createTTL and createContainer need of Apache's servers. */
export const extendedTypesFlag = '-Dzookeeper.extendedTypesEnabled=true'
const SESSION_MS = 40_000

const readable: readonly (readonly ACL[])[] = [
  openAcl,
  [
    { perms: 31, id: { scheme: 'world', id: 'anyone' } },
    { perms: 9, id: { scheme: 'ip', id: '10.0.0.1' } },
  ],
  [{ perms: 15, id: { scheme: 'world', id: 'anyone' } }],
]

/**
 * One write of some kind, on one of few paths under /top, so that most kinds succeed and fail now and
 * then.
 */
export function randomWrite(client: WireClient, prng: Prng): Promise<unknown> {
  const pick = <T>(from: readonly T[]): T => from[prng.below(from.length)] as T
  const name = (): string =>
    pick(['a', 'b', 'c', 'd', 'unicode-ü-✓', 'a-longer-name-than-the-others'])
  const path = prng.below(3) === 0 ? `/top/${name()}` : `/top/${name()}/${name()}`
  const data = pick([null, Buffer.alloc(0), Buffer.alloc(1 + prng.below(600), prng.below(256))])
  const acl = pick(readable)
  switch (prng.below(14)) {
    case 0:
      return client.call(OpCode.create2, create(path, { data, acl }))
    case 1:
      return client.call(OpCode.create, create(`${path}-s`, { data, flags: 2 }))
    case 2:
      return client.call(OpCode.create, create(path, { data, flags: 1 }))
    case 3:
      return client.call(OpCode.createContainer, create(path, { flags: 4 }))
    case 4:
      return client.call(OpCode.createTTL, createTtl(path, 3_600_000n))
    case 5:
    case 6:
      return client.call(OpCode.delete, remove(path))
    case 7:
      return client.call(OpCode.setACL, setAcl(path, acl))
    case 8:
      return client.call(
        OpCode.multi,
        multi([
          [OpCode.setData, setData('/top', data)],
          [OpCode.create, create(`/top/m-`, { data, flags: 2 })],
          [OpCode.check, check(path)],
        ]),
      )
    case 9:
      return client.call(
        OpCode.multi,
        multi([
          [OpCode.create, create('/top/multi', { data })],
          [OpCode.setData, setData('/top/multi', data)],
          [OpCode.delete, remove('/top/multi')],
        ]),
      )
    case 10:
    case 11:
      return client.call(OpCode.create, create(path, { data, acl }))
    default:
      return client.call(OpCode.setData, setData(path, data))
  }
}

export type NodeText = { data: string | null; stat: Stat; acl: readonly ACL[] | null }

/** All that clients can see; children as far as the nodes name them. */
export async function stateOf(port: number): Promise<Map<string, NodeText>> {
  const client = await WireClient.open(port, SESSION_MS)
  const nodes = new Map<string, NodeText>()
  const open = ['/']
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const data = await client.call(OpCode.getData, getData(path))
    const acl = await client.call(OpCode.getACL, pathOnly(path))
    const children = await client.call(OpCode.getChildren2, getChildren(path))
    expect([path, data.err, acl.err, children.err]).toEqual([path, 0, 0, 0])
    const found = readGetDataResponse(data.body)
    nodes.set(path, {
      data: found.data === null ? null : Buffer.from(found.data).toString('base64'),
      stat: found.stat,
      acl: readGetACLResponse(acl.body).acl,
    })
    for (const name of readGetChildren2Response(children.body).children ?? [])
      open.push(path === '/' ? `/${name}` : `${path}/${name}`)
  }
  await client.close()
  return nodes
}
