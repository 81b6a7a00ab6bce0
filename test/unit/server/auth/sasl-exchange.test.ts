import { describe, expect, test } from 'vitest'
import { Err } from '../../../../src/data/error-code.ts'
import { type SaslConfig, SaslExchange } from '../../../../src/server/auth/sasl-exchange.ts'
import { cryptoWithNonce } from '../../../support/node-crypto.ts'

const config: SaslConfig = {
  saslUsers: new Map([['bob', 'bobsecret']]),
  saslSuperUsers: new Set(),
  allowSaslFailedClients: false,
  sessionRequireClientSaslAuth: false,
  enforceAuthSchemes: undefined,
}
const empty = Buffer.alloc(0)
// Recorded between kazoo 2.8 and a 3.8.0 server.
const crypto = cryptoWithNonce('NnkONJOgk0FxmuaPokzRVRDN7FjG7tQariCbsWlG')
const response = Buffer.from(
  'qop=auth,realm="zk-sasl-md5",username="bob",' +
    'nonce="NnkONJOgk0FxmuaPokzRVRDN7FjG7tQariCbsWlG",cnonce="1752896802330537",nc=00000001,' +
    'digest-uri="zookeeper/zk-sasl-md5",response=550e3554ea14d0aff5a422d36884e7a4',
)
const rspauth = Buffer.from('rspauth=399f026bcfe8e8ef170e98f32fc1a1cd')
const wrong = Buffer.from(response.toString().replace('response=5', 'response=6'))

describe('a login', () => {
  test('gives the sasl id', () => {
    const exchange = new SaslExchange(config, crypto, 16)
    expect(exchange.answer(empty)).toMatchObject({ err: 0, ids: [], closes: false })
    expect(exchange.answer(response)).toEqual({
      err: Err.ok,
      token: rspauth,
      ids: [{ scheme: 'sasl', id: 'bob' }],
      closes: false,
      reason: 'bob',
    })
  })

  test('of a super user gives the super id too', () => {
    const exchange = new SaslExchange({ ...config, saslSuperUsers: new Set(['bob']) }, crypto, 16)
    exchange.answer(empty)
    expect(exchange.answer(response).ids).toEqual([
      { scheme: 'sasl', id: 'bob' },
      { scheme: 'super', id: '' },
    ])
  })

  test('without users is answered with a null token, as often as one likes', () => {
    const exchange = new SaslExchange({ ...config, saslUsers: undefined }, crypto, 16)
    for (let i = 0; i < 100; i += 1)
      expect(exchange.answer(response)).toMatchObject({ err: 0, token: null, closes: false })
  })
})

describe('a failed login', () => {
  const requireSasl = { sessionRequireClientSaslAuth: true }
  const enforceSasl = { enforceAuthSchemes: new Set(['digest', 'sasl']) }
  const allow = { allowSaslFailedClients: true }
  test.each<[string, Partial<SaslConfig>, number, boolean]>([
    ['ends the connection', {}, -115, true],
    ['is allowed', allow, 0, false],
    ['where SASL is required', requireSasl, -124, true],
    ['where SASL is enforced', enforceSasl, -124, true],
    ['where another scheme is enforced', { enforceAuthSchemes: new Set(['digest']) }, -115, true],
    ['is not allowed where SASL is required', { ...requireSasl, ...allow }, -124, true],
  ])('%s', (_name, changes, err, closes) => {
    const exchange = new SaslExchange({ ...config, ...changes }, crypto, 16)
    exchange.answer(empty)
    expect(exchange.answer(wrong)).toEqual({
      err,
      token: null,
      ids: [],
      closes,
      reason: 'wrong password of user bob',
    })
  })

  test('cannot be repeated for ever, though allowed', () => {
    const exchange = new SaslExchange({ ...config, ...allow }, crypto, 16)
    for (let i = 0; i < 16; i += 1) expect(exchange.answer(empty).closes).toBe(false)
    expect(exchange.answer(empty)).toMatchObject({ err: -115, closes: true })
  })
})
