import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DigestMd5Server, type DigestMd5Step } from '../../../../src/server/auth/sasl-digest-md5.ts'
import { parseDirectives } from '../../../../src/server/auth/sasl-directives.ts'
import { cryptoWithNonce, nodeCrypto } from '../../../support/node-crypto.ts'

const users: ReadonlyMap<string, string> = new Map([
  ['bob', 'bobsecret'],
  ['zoé', 'pässword'],
  ['łukasz', 'hasło'],
])

/** A login as a client does it, with what is to be odd about it. */
interface Client {
  readonly username: string
  readonly password: string
  readonly realm?: string
  readonly uri?: string
  readonly nonce?: string
  /** The count that is hashed; `nc` is the one that is sent, '' for none. */
  readonly count?: string
  readonly nc?: string
  readonly qop?: string
  readonly charset?: string
  readonly authzid?: string
  readonly cnonce?: string
  readonly extra?: string
}

const md5 = (...parts: (string | Buffer)[]): Buffer =>
  createHash('md5')
    .update(Buffer.concat(parts.map((part) => Buffer.from(part))))
    .digest()

/** As in RFC 2831 §2.1.2.1: Latin-1 if it can be. */
const hashed = (text: string): Buffer =>
  /^[\0-\xff]*$/.test(text) ? Buffer.from(text, 'latin1') : Buffer.from(text)

/** Written from the RFC, for the client's half. */
function respond(challenge: Buffer, client: Client): { response: Buffer; rspauth: string } {
  const sent = /nonce="([^"]*)"/.exec(challenge.toString())?.[1] ?? ''
  const { username, password, realm = 'zk-sasl-md5', nonce = sent, cnonce = 'OA6MHXh6' } = client
  const { uri = 'zookeeper/zk-sasl-md5', count = '00000001', nc = count, qop = 'auth' } = client
  const { authzid, charset = 'utf-8', extra = '' } = client
  const user = md5(hashed(username), ':', realm, ':', hashed(password))
  const act = authzid === undefined ? '' : `:${authzid}`
  const a1 = md5(user, `:${nonce}:${cnonce}${act}`).toString('hex')
  const kd = (method: string): string => {
    const a2 = md5(`${method}:${uri}`).toString('hex')
    return md5(`${a1}:${nonce}:${count}:${cnonce}:${qop}:${a2}`).toString('hex')
  }
  const directives = [
    charset === '' ? '' : `charset=${charset}`,
    `username="${username}"`,
    `realm="${realm}"`,
    `nonce="${nonce}"`,
    nc === '' ? '' : `nc=${nc}`,
    `cnonce="${cnonce}"`,
    `digest-uri="${uri}"`,
    `response=${kd('AUTHENTICATE')}`,
    `qop=${qop}`,
    authzid === undefined ? '' : `authzid="${authzid}"`,
  ]
  const text = directives.filter((directive) => directive !== '').join(',')
  return { response: Buffer.from(text + extra), rspauth: `rspauth=${kd('')}` }
}

const empty = Buffer.alloc(0)

function login(client: Client): { step: DigestMd5Step; rspauth: string } {
  const server = new DigestMd5Server(users, nodeCrypto)
  const challenge = server.evaluate(empty)
  if (challenge.kind !== 'challenge') expect.fail(challenge.kind)
  const { response, rspauth } = respond(challenge.token, client)
  return { step: server.evaluate(response), rspauth }
}

const bob: Client = { username: 'bob', password: 'bobsecret' }

describe('recorded against a 3.8.0 server', () => {
  // zkCli of 3.8.0 on Java 17, and kazoo 2.8 with pure-sasl: challenge and answer must be the same.
  test.each([
    {
      client: 'zkCli',
      nonce: 'gb+FpZzz7/eDfl4ttJ6ncz7qfNNEHwyADMu7V0lM',
      response:
        'charset=utf-8,username="bob",realm="zk-sasl-md5",' +
        'nonce="gb+FpZzz7/eDfl4ttJ6ncz7qfNNEHwyADMu7V0lM",nc=00000001,' +
        'cnonce="t6qUpaRHSOKF1dW6REdHN5Ac/mgpJR/0P6+iDGoX",' +
        'digest-uri="zookeeper/zk-sasl-md5",maxbuf=65536,' +
        'response=1d1fecbc21f4def187f53c91950a704e,qop=auth,authzid="bob"',
      rspauth: 'rspauth=18d5467c4c71330edd716d5500d6eb16',
    },
    {
      client: 'kazoo',
      nonce: 'NnkONJOgk0FxmuaPokzRVRDN7FjG7tQariCbsWlG',
      response:
        'qop=auth,realm="zk-sasl-md5",username="bob",' +
        'nonce="NnkONJOgk0FxmuaPokzRVRDN7FjG7tQariCbsWlG",cnonce="1752896802330537",nc=00000001,' +
        'digest-uri="zookeeper/zk-sasl-md5",response=550e3554ea14d0aff5a422d36884e7a4',
      rspauth: 'rspauth=399f026bcfe8e8ef170e98f32fc1a1cd',
    },
  ])('$client', ({ nonce, response, rspauth }) => {
    const server = new DigestMd5Server(users, cryptoWithNonce(nonce))
    expect(server.evaluate(empty)).toEqual({
      kind: 'challenge',
      token: Buffer.from(`realm="zk-sasl-md5",nonce="${nonce}",charset=utf-8,algorithm=md5-sess`),
    })
    expect(server.evaluate(Buffer.from(response))).toEqual({
      kind: 'done',
      token: Buffer.from(rspauth),
      authorizationId: 'bob',
    })
  })
})

describe('is let in, as by a 3.8.0 server', () => {
  test.each<[string, Client, string]>([
    ['plainly', bob, 'bob'],
    ['with a Latin-1 name', { username: 'zoé', password: 'pässword' }, 'zoé'],
    ['with a name beyond Latin-1', { username: 'łukasz', password: 'hasło' }, 'łukasz'],
    ['as himself, whoever he wants to be', { ...bob, authzid: 'super' }, 'bob'],
    ['with an empty authzid', { ...bob, authzid: '' }, 'bob'],
    ['without a nonce count', { ...bob, nc: '' }, 'bob'],
    ['with another case of the service', { ...bob, uri: 'ZooKeeper/ZK-sasl-md5' }, 'bob'],
    ['without a charset', { ...bob, charset: '' }, 'bob'],
    ['with unknown directives', { ...bob, extra: ',foo=1,foo=2' }, 'bob'],
    ['with odd white space', { ...bob, extra: ' , foo = "b,\\"c" ,, bar=1\r\n ' }, 'bob'],
  ])('%s', (_name, client, authorizationId) => {
    const { step, rspauth } = login(client)
    expect(step).toEqual({ kind: 'done', token: Buffer.from(rspauth), authorizationId })
  })

  test('whatever the first token holds', () => {
    const server = new DigestMd5Server(users, nodeCrypto)
    expect(server.evaluate(Buffer.from('zzz')).kind).toBe('challenge')
  })
})

describe('is refused', () => {
  test.each<[string, Client]>([
    ['wrong password of user bob', { ...bob, password: 'x' }],
    ['no such user: eve', { username: 'eve', password: '' }],
    ['another realm', { ...bob, realm: 'x' }],
    ['another service', { ...bob, uri: 'zookeeper/localhost' }],
    ['not the nonce of the challenge', { ...bob, nonce: 'a'.repeat(40) }],
    ['a nonce count above 1', { ...bob, count: '00000002' }],
    ['wrong password of user bob', { ...bob, count: '00000002', nc: '' }],
    ['only qop=auth is offered', { ...bob, qop: 'auth-int' }],
    ['only charset=utf-8 is offered', { ...bob, charset: 'iso-8859-1' }],
    ['more than one cnonce in the response', { ...bob, extra: ',cnonce="x"' }],
    ['no directive at byte', { ...bob, extra: ',foo="unclosed' }],
    ['no directive at byte', { ...bob, extra: ',foo="a"b=c' }],
  ])('%s', (reason, client) => {
    const { step } = login(client)
    expect(step).toMatchObject({ kind: 'failed', reason: expect.stringContaining(reason) })
  })

  test.each(['username', 'realm', 'nonce', 'cnonce', 'digest-uri', 'response'])(
    'a response without %s',
    (key) => {
      const server = new DigestMd5Server(users, nodeCrypto)
      const challenge = server.evaluate(empty)
      if (challenge.kind !== 'challenge') expect.fail(challenge.kind)
      const text = respond(challenge.token, bob).response.toString()
      const without = text.replace(new RegExp(`(^|,)${key}=("[^"]*"|[^,]*)`), '')
      expect(without.length).toBeLessThan(text.length)
      expect(server.evaluate(Buffer.from(without)).kind).toBe('failed')
    },
  )

  test('an empty response, and one that is too long', () => {
    for (const token of [empty, Buffer.alloc(4097, ',')]) {
      const server = new DigestMd5Server(users, nodeCrypto)
      server.evaluate(empty)
      expect(server.evaluate(token).kind).toBe('failed')
    }
  })

  test('a second login, whether the first went well or not', () => {
    for (const password of ['bobsecret', 'x']) {
      const server = new DigestMd5Server(users, nodeCrypto)
      const challenge = server.evaluate(empty)
      if (challenge.kind !== 'challenge') expect.fail(challenge.kind)
      const { response } = respond(challenge.token, { ...bob, password })
      expect(server.evaluate(response).kind).toBe(password === 'x' ? 'failed' : 'done')
      expect(server.evaluate(response).kind).toBe('failed')
      expect(server.evaluate(empty).kind).toBe('failed')
    }
  })

  test('on a machine without md5', () => {
    const server = new DigestMd5Server(users, { ...nodeCrypto, hash: () => undefined })
    const challenge = server.evaluate(empty)
    if (challenge.kind !== 'challenge') expect.fail(challenge.kind)
    const { response } = respond(challenge.token, bob)
    expect(server.evaluate(response)).toEqual({
      kind: 'failed',
      reason: 'this machine has no md5',
    })
  })
})

test('nonces differ', () => {
  const nonces = new Set<string>()
  for (let i = 0; i < 50; i += 1) {
    const step = new DigestMd5Server(users, nodeCrypto).evaluate(empty)
    if (step.kind === 'challenge') nonces.add(step.token.toString())
  }
  expect(nonces.size).toBe(50)
})

describe('directives', () => {
  test('quotes and escapes are taken off, keys are lower case, bytes stay bytes', () => {
    const bytes = Buffer.from(' UserName = "a\\"b\\\\c,\xe9" ,, realm=x=y\tnonce="" ', 'latin1')
    expect(parseDirectives(bytes)).toEqual(
      new Map([
        ['username', 'a"b\\c,\xe9'],
        ['realm', 'x=y'],
        ['nonce', ''],
      ]),
    )
  })

  test('any bytes give directives or a reason', () => {
    const piece = fc.constantFrom('username', '=', '"', '\\', ',', ' ', 'nonce', 'é', '\n', '\0')
    const text = fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.from(pieces.join('')))
    const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array))
    fc.assert(
      fc.property(fc.oneof(text, bytes), (token) => {
        const result = parseDirectives(token)
        expect(typeof result === 'string' || result instanceof Map).toBe(true)
        const server = new DigestMd5Server(users, nodeCrypto)
        server.evaluate(token)
        expect(server.evaluate(token).kind).toBe('failed')
      }),
      { numRuns: 500 },
    )
  })
})
