import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isJaasError, parseJaas, saslUsersOf } from '../../../src/config/jaas.ts'

const none = new Map<string, string>()

function sectionsOf(text: string, properties: ReadonlyMap<string, string> = none): unknown {
  const parsed = parseJaas(text, properties)
  if (isJaasError(parsed)) return `${parsed.line}: ${parsed.problem}`
  return [...parsed].map(([name, modules]) => [
    name,
    modules.map(({ className, flag, options }) => [className, flag, Object.fromEntries(options)]),
  ])
}

describe('a JAAS file', () => {
  it('has sections of login modules with options', () => {
    const text = `
      /* the server
         and its users */
      Server { // here
        org.apache.zookeeper.server.auth.DigestLoginModule Required
          user_super="adminsecret"
          user_bob='x' debug=true;
        com.sun.Krb5LoginModule optional keyTab="/etc/a b" principal="zk/host@REALM";
      };
      # and the client
      "Client" { a.B sufficient username="bob" password="s3;c}\\"r\\\\t"; };
      Empty {};
    `
    expect(sectionsOf(text)).toEqual([
      [
        'Server',
        [
          [
            'org.apache.zookeeper.server.auth.DigestLoginModule',
            'required',
            { user_super: 'adminsecret', user_bob: "'x'", debug: 'true' },
          ],
          [
            'com.sun.Krb5LoginModule',
            'optional',
            { keyTab: '/etc/a b', principal: 'zk/host@REALM' },
          ],
        ],
      ],
      ['Client', [['a.B', 'sufficient', { username: 'bob', password: 's3;c}"r\\t' }]]],
      ['Empty', []],
    ])
    expect(sectionsOf('')).toEqual([])
  })

  it('may refer to system properties', () => {
    const text = `S { m required file="\${dir}/x"; };`
    expect(sectionsOf(text, new Map([['dir', '/d']]))).toEqual([
      ['S', [['m', 'required', { file: '/d/x' }]]],
    ])
    expect(sectionsOf(text)).toMatch(/^1: a name in braces/)
  })

  it.each([
    ['Server', "1: expected '{' after the name of the section"],
    ['Server {', '1: expected the class of a login module'],
    ['Server {\n m required\n}', "3: expected an option, or ';' after the login module"],
    ['Server { m required; }', "1: expected ';' after the section's '}'"],
    [
      'Server { m needed; };',
      "1: a login module's class must be followed by required, requisite, sufficient or optional",
    ],
    ['Server { m required user_a; };', "1: expected '=' after the name of an option"],
    ['Server { m required user_a=; };', '1: expected the value of an option'],
    ['\n/* open', '2: a comment is not closed'],
    ['S { m required a="b\n"; };', '1: a quote is not closed on its line'],
    ['A {};\nA {};', '2: two sections have the same name'],
    ['= {};', '1: expected the name of a section'],
  ])('says where %j is wrong', (text, problem) => {
    expect(sectionsOf(text)).toBe(problem)
  })

  it('is a value or a refusal, whatever it holds', () => {
    const piece = fc.constantFrom(
      'A',
      ' {',
      '};',
      ';',
      '=',
      '"',
      '\\',
      '\n',
      '//',
      '/*',
      '*/',
      'm required ',
      'a="b"',
      '$',
      '{x}',
      '#',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string())), (pieces) => {
        const parsed = parseJaas(pieces.join(''), none)
        if (isJaasError(parsed)) expect(parsed.line).toBeGreaterThan(0)
      }),
    )
  })
})

it('finds users in any module', () => {
  const parsed = parseJaas(
    'S { a required user_a="1" x="2"; b optional user_b="3" user_a="4"; };',
    none,
  )
  if (isJaasError(parsed)) throw new Error(parsed.problem)
  expect([...saslUsersOf(parsed.get('S') ?? [])]).toEqual([
    ['a', '4'],
    ['b', '3'],
  ])
})
