/** One login module of a JAAS section. */
interface JaasModule {
  /** Class name, for example org.apache.zookeeper.server.auth.DigestLoginModule. */
  readonly className: string
  readonly flag: string
  readonly options: ReadonlyMap<string, string>
}

/** Login modules by section name, for example Server. */
type JaasSections = ReadonlyMap<string, readonly JaasModule[]>

interface JaasError {
  /** From 1. */
  readonly line: number
  readonly problem: string
}

export function isJaasError(result: JaasSections | JaasError): result is JaasError {
  return 'problem' in result
}

/**
 * A JAAS login configuration: `Section { class flag option=value ... ; ... };`, with comments as in
 * Java and with `#`. `properties` serve `${name}` inside of quoted values. Never throws; a problem
 * does not repeat what stands in the file, since that may be a password.
 */
export function parseJaas(
  text: string,
  properties: ReadonlyMap<string, string>,
): JaasSections | JaasError {
  const tokens = tokenize(text)
  if ('problem' in tokens) return tokens
  return new JaasParser(tokens, properties).sections()
}

/**
 * The users of DIGEST-MD5: every option `user_<name>="<password>"` of any module of the section.
 * The module's class does not matter, in the original neither.
 */
export function saslUsersOf(modules: readonly JaasModule[]): Map<string, string> {
  const users = new Map<string, string>()
  for (const { options } of modules) {
    for (const [name, value] of options) {
      if (name.startsWith('user_')) users.set(name.slice('user_'.length), value)
    }
  }
  return users
}

interface Token {
  readonly kind: 'word' | 'quoted' | 'mark' | 'end'
  readonly text: string
  readonly line: number
}

const FLAGS: readonly string[] = ['required', 'requisite', 'sufficient', 'optional']
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['f', '\f'],
  ['b', '\b'],
])
const SPACE = /\s/
const WORD_END = /[\s{};="]/

function tokenize(text: string): readonly Token[] | JaasError {
  const tokens: Token[] = []
  let line = 1
  let at = 0
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === '\n') line += 1
    if (SPACE.test(char)) {
      at += 1
    } else if (char === '#' || text.startsWith('//', at)) {
      const end = text.indexOf('\n', at)
      at = end < 0 ? text.length : end
    } else if (text.startsWith('/*', at)) {
      const end = text.indexOf('*/', at + 2)
      if (end < 0) return { line, problem: 'a comment is not closed' }
      line += countLines(text, at, end)
      at = end + 2
    } else if (char === '"') {
      const quoted = readQuoted(text, at + 1)
      if (quoted === undefined) return { line, problem: 'a quote is not closed on its line' }
      tokens.push({ kind: 'quoted', text: quoted.value, line })
      at = quoted.end
    } else if ('{};='.includes(char)) {
      tokens.push({ kind: 'mark', text: char, line })
      at += 1
    } else {
      const start = at
      while (at < text.length && !WORD_END.test(text.charAt(at))) at += 1
      tokens.push({ kind: 'word', text: text.slice(start, at), line })
    }
  }
  tokens.push({ kind: 'end', text: '', line })
  return tokens
}

function countLines(text: string, start: number, end: number): number {
  let lines = 0
  for (let at = text.indexOf('\n', start); at >= 0 && at < end; at = text.indexOf('\n', at + 1))
    lines += 1
  return lines
}

function readQuoted(text: string, start: number): { value: string; end: number } | undefined {
  let value = ''
  for (let at = start; at < text.length; at += 1) {
    const char = text.charAt(at)
    if (char === '"') return { value, end: at + 1 }
    if (char === '\n') return undefined
    if (char === '\\') {
      at += 1
      const escaped = text.charAt(at)
      value += ESCAPES.get(escaped) ?? escaped
    } else value += char
  }
  return undefined
}

class JaasParser {
  readonly #tokens: readonly Token[]
  readonly #properties: ReadonlyMap<string, string>
  #at = 0
  #error: JaasError | undefined

  constructor(tokens: readonly Token[], properties: ReadonlyMap<string, string>) {
    this.#tokens = tokens
    this.#properties = properties
  }

  sections(): JaasSections | JaasError {
    const sections = new Map<string, readonly JaasModule[]>()
    while (this.#error === undefined && this.#peek().kind !== 'end') {
      const name = this.#name('the name of a section')
      this.#mark('{', 'after the name of the section')
      const modules: JaasModule[] = []
      while (this.#error === undefined && !this.#isMark('}')) modules.push(this.#module())
      this.#mark('}', 'at the end of the section')
      this.#mark(';', "after the section's '}'")
      if (this.#error === undefined && sections.has(name))
        this.#fail('two sections have the same name')
      sections.set(name, modules)
    }
    return this.#error ?? sections
  }

  #module(): JaasModule {
    const className = this.#name('the class of a login module')
    const flag = this.#name('a flag').toLowerCase()
    if (!FLAGS.includes(flag))
      this.#fail(
        "a login module's class must be followed by required, requisite, sufficient or optional",
      )
    const options = new Map<string, string>()
    while (this.#error === undefined && !this.#isMark(';')) {
      const name = this.#name("an option, or ';' after the login module")
      this.#mark('=', 'after the name of an option')
      options.set(name, this.#expand(this.#name('the value of an option')))
    }
    this.#mark(';', 'after the login module')
    return { className, flag, options }
  }

  #expand(value: string): string {
    return value.replace(/\$\{([^{}]*)\}/g, (whole, name: string) => {
      const property = this.#properties.get(name)
      if (property === undefined)
        this.#fail('a name in braces after a dollar is not that of a system property')
      return property ?? whole
    })
  }

  #name(what: string): string {
    const token = this.#next()
    if (token.kind !== 'word' && token.kind !== 'quoted') this.#fail(`expected ${what}`, token.line)
    return token.text
  }

  #mark(mark: string, where: string): void {
    if (this.#isMark(mark)) this.#at += 1
    else this.#fail(`expected '${mark}' ${where}`)
  }

  #isMark(mark: string): boolean {
    const token = this.#peek()
    return token.kind === 'mark' && token.text === mark
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '', line: 1 }
  }

  #next(): Token {
    const token = this.#peek()
    if (token.kind !== 'end') this.#at += 1
    return token
  }

  /** Only the first problem counts: those that follow are its echo. */
  #fail(problem: string, line: number = this.#peek().line): void {
    this.#error ??= { line, problem }
  }
}
