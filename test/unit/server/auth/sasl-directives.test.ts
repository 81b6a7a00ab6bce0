import { describe, expect, it } from 'vitest'
import { parseDirectives } from '../../../../src/server/auth/sasl-directives.ts'

const read = (text: string): unknown => {
  const found = parseDirectives(Buffer.from(text, 'latin1'))
  return typeof found === 'string' ? found : Object.fromEntries(found)
}

describe('the directives of a digest-response', () => {
  it('are keys in any case with values in quotes or not', () => {
    expect(read('UserName="me",qop=auth , nc=00000001')).toEqual({
      username: 'me',
      qop: 'auth',
      nc: '00000001',
    })
  })

  it('have their escapes taken off, and what is in quotes cannot end them', () => {
    expect(read(String.raw`username="a\"b\\,c",realm=""`)).toEqual({
      username: String.raw`a"b\,c`,
      realm: '',
    })
  })

  it('may be separated by anything white, and by commas without anything between', () => {
    expect(read(' ,,qop=auth\t\r\nnc=1,,')).toEqual({ qop: 'auth', nc: '1' })
    expect(read('')).toEqual({})
  })

  it('that nobody knows are passed over, twice too', () => {
    expect(read('x=1,x=2,qop=auth')).toEqual({ qop: 'auth' })
  })

  it('are refused when one comes twice, or cannot be read', () => {
    expect(read('qop=auth,QOP=auth')).toBe('more than one qop in the response')
    for (const text of ['qop', 'username="me', 'username="me"x', '=auth'])
      expect(read(text)).toMatch(/^no directive at byte \d+ of the response$/)
  })
})
