import type { Crypto } from '../../base/crypto.ts'
import { parseDirectives } from './sasl-directives.ts'

const REALM = 'zk-sasl-md5'
const DIGEST_URI = `zookeeper/${REALM}`
/**
 * A response of DIGEST-MD5.
 * @bound bytes: the login fails
 */
const RESPONSE_BYTES_MAX = 4096
/** A multiple of three, so that base64 needs no padding. */
const NONCE_BYTES = 30
/** Only first logins are served, so a nonce is used once. */
const NONCE_COUNT = '00000001'

export type DigestMd5Step =
  | { readonly kind: 'challenge'; readonly token: Buffer }
  | { readonly kind: 'done'; readonly token: Buffer; readonly authorizationId: string }
  | { readonly kind: 'failed'; readonly reason: string }

/**
 * The server side of DIGEST-MD5 (RFC 2831) as the original's is, which is the JDK's: service
 * `zookeeper`, realm `zk-sasl-md5`, quality of protection `auth`, algorithm md5-sess, UTF-8. The
 * challenge is byte for byte the JDK's but for the nonce; what a response must hold and what is
 * forgiven was tried on a 3.8.0 server. One login per object: whatever comes after it fails.
 */
export class DigestMd5Server {
  readonly #users: ReadonlyMap<string, string>
  readonly #crypto: Crypto
  #nonce: string | undefined
  #finished = false

  /** `users`: password by name. */
  constructor(users: ReadonlyMap<string, string>, crypto: Crypto) {
    this.#users = users
    this.#crypto = crypto
  }

  /** The first token is ignored (clients send an empty one) and answered with the challenge. */
  evaluate(token: Buffer): DigestMd5Step {
    if (token.length > RESPONSE_BYTES_MAX) return this.#fail('response too long')
    if (this.#finished) return this.#fail('only one login per connection')
    if (this.#nonce === undefined) return this.#challenge()
    this.#finished = true
    return this.#check(token, this.#nonce)
  }

  #fail(reason: string): DigestMd5Step {
    this.#finished = true
    return { kind: 'failed', reason }
  }

  #challenge(): DigestMd5Step {
    this.#nonce = this.#crypto.randomBytes(NONCE_BYTES).toString('base64')
    const text = `realm="${REALM}",nonce="${this.#nonce}",charset=utf-8,algorithm=md5-sess`
    return { kind: 'challenge', token: Buffer.from(text) }
  }

  #check(token: Buffer, nonce: string): DigestMd5Step {
    const directives = parseDirectives(token)
    if (typeof directives === 'string') return this.#fail(directives)
    const reason = directivesProblem(directives, nonce)
    if (reason !== undefined) return this.#fail(reason)
    const username = utf8Of(directives.get('username') ?? '')
    const password = this.#users.get(username)
    const digests = this.#digests(directives, username, password ?? '', nonce)
    if (digests === undefined) return this.#fail('this machine has no md5')
    // An unknown user is refused after the same work as a wrong password.
    const matches = isSameText(directives.get('response') ?? '', digests.response)
    if (password === undefined) return this.#fail(`no such user: ${username}`)
    if (!matches) return this.#fail(`wrong password of user ${username}`)
    // Not the client's authzid: whom one may act as is not for the client to say.
    const rspauth = Buffer.from(`rspauth=${digests.rspauth}`)
    return { kind: 'done', token: rspauth, authorizationId: username }
  }

  /** RFC 2831 §2.1.2.1 and §2.1.3. Texts here hold one byte in each character. */
  #digests(
    directives: ReadonlyMap<string, string>,
    username: string,
    password: string,
    nonce: string,
  ): { readonly response: string; readonly rspauth: string } | undefined {
    const user = this.#md5(`${hashedForm(username)}:${REALM}:${hashedForm(password)}`)
    if (user === undefined) return undefined
    const cnonce = directives.get('cnonce') ?? ''
    const authzid = directives.get('authzid')
    const act = authzid === undefined ? '' : `:${authzid}`
    const a1 = this.#md5Hex(`${user.toString('latin1')}:${nonce}:${cnonce}${act}`)
    // As the client spells it, as that is what it has hashed.
    const uri = directives.get('digest-uri') ?? ''
    const digest = (method: string): string => {
      const a2 = this.#md5Hex(`${method}:${uri}`)
      return this.#md5Hex(`${a1}:${nonce}:${NONCE_COUNT}:${cnonce}:auth:${a2}`)
    }
    return { response: digest('AUTHENTICATE'), rspauth: digest('') }
  }

  #md5(text: string): Buffer | undefined {
    return this.#crypto.hash('md5', Buffer.from(text, 'latin1'))
  }

  #md5Hex(text: string): string {
    return this.#md5(text)?.toString('hex') ?? ''
  }
}

/** Everything that can be wrong with a response but for the digest. */
function directivesProblem(
  directives: ReadonlyMap<string, string>,
  nonce: string,
): string | undefined {
  for (const key of ['username', 'nonce', 'cnonce', 'digest-uri', 'response'])
    if (!directives.has(key)) return `no ${key} in the response`
  if (directives.get('realm') !== REALM) return 'another realm'
  if (!isSameText(directives.get('nonce') ?? '', nonce)) return 'not the nonce of the challenge'
  if (directives.get('digest-uri')?.toLowerCase() !== DIGEST_URI) return 'another service'
  if ((directives.get('qop') ?? 'auth') !== 'auth') return 'only qop=auth is offered'
  if ((directives.get('charset') ?? 'utf-8') !== 'utf-8') return 'only charset=utf-8 is offered'
  // The digest is made with a count of one in any case; the JDK does not even look at this.
  if (Number.parseInt(directives.get('nc') ?? NONCE_COUNT, 16) !== 1) return 'a nonce count above 1'
  return undefined
}

function utf8Of(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8')
}

/** Names and passwords are hashed as Latin-1 if they can be, else as UTF-8 (RFC 2831 §2.1.2.1). */
function hashedForm(text: string): string {
  for (let at = 0; at < text.length; at += 1)
    if (text.charCodeAt(at) > 0xff) return Buffer.from(text, 'utf8').toString('latin1')
  return text
}

/** Takes as long for texts that differ at the first character as for equal ones. */
function isSameText(given: string, expected: string): boolean {
  let difference = given.length ^ expected.length
  for (let at = 0; at < expected.length; at += 1)
    difference |= given.charCodeAt(at) ^ expected.charCodeAt(at)
  return difference === 0
}
