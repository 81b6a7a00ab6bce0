import { lex, type Token } from './lexer.ts'
import type { Class, Field, JuteType, Position, Problem, ScalarName } from './model.ts'

export type ParseResult =
  | { readonly ok: true; readonly classes: readonly Class[] }
  | { readonly ok: false; readonly problem: Problem }

const scalars: ReadonlyMap<string, ScalarName> = new Map([
  ['boolean', 'boolean'],
  ['buffer', 'buffer'],
  ['byte', 'byte'],
  ['double', 'double'],
  ['float', 'float'],
  ['int', 'int'],
  ['long', 'long'],
  ['ustring', 'ustring'],
])

/** vector<vector<...>> of a hand-written source does not come near it; a hostile one stops here. */
const TYPE_DEPTH_MAX = 32

/** Syntax only: whether names are known and types can be compiled, `check` says. */
export function parse(source: string): ParseResult {
  const lexed = lex(source)
  if (!lexed.ok) return lexed
  const parser = new Parser(lexed.tokens)
  const classes = parser.parseFile()
  if (parser.problem !== undefined) return { ok: false, problem: parser.problem }
  return { ok: true, classes }
}

/** Recursive descent. After the first problem every step is a no-op, so callers need not check. */
class Parser {
  problem: Problem | undefined = undefined
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  parseFile(): readonly Class[] {
    const classes: Class[] = []
    while (this.#current().kind !== 'end') {
      if (this.#current().text === 'include')
        this.#fail('include is not supported: one source holds all classes')
      this.#parseModule(classes)
    }
    return classes
  }

  #parseModule(classes: Class[]): void {
    this.#expect('module')
    const module = this.#expectWord('a module name').text
    this.#expect('{')
    while (this.#more('}')) classes.push(this.#parseClass(module))
    this.#expect('}')
  }

  #parseClass(module: string): Class {
    const comment = this.#current().comment
    this.#expect('class')
    const name = this.#expectName('a class name')
    this.#expect('{')
    const fields: Field[] = []
    while (this.#more('}')) fields.push(this.#parseField())
    this.#expect('}')
    return { name: name.text, module, fields, comment, position: name.position }
  }

  #parseField(): Field {
    const comment = this.#current().comment
    const annotations = new Set<string>()
    while (this.#current().kind === 'annotation') this.#parseAnnotation(annotations)
    const type = this.#parseType(0)
    const name = this.#expectName('a field name')
    this.#expect(';')
    return {
      name: name.text,
      type,
      isNullable: annotations.has('@nullable'),
      isNumber: annotations.has('@number'),
      comment,
      position: name.position,
    }
  }

  #parseAnnotation(annotations: Set<string>): void {
    const { text } = this.#current()
    if (text !== '@nullable' && text !== '@number')
      this.#fail(`unknown annotation ${text}: there are @nullable and @number`)
    else if (annotations.has(text)) this.#fail(`${text} is there twice`)
    annotations.add(text)
    this.#advance()
  }

  #parseType(depth: number): JuteType {
    const token = this.#expectWord('a type')
    const { position } = token
    if (depth > TYPE_DEPTH_MAX) this.#failAt(position, 'types are nested too deeply')
    if (this.problem !== undefined) return { kind: 'scalar', name: 'int' }
    if (token.text === 'vector') {
      this.#expect('<')
      const element = this.#parseType(depth + 1)
      this.#expect('>')
      return { kind: 'vector', element }
    }
    if (token.text === 'map') {
      this.#expect('<')
      const key = this.#parseType(depth + 1)
      this.#expect(',')
      const value = this.#parseType(depth + 1)
      this.#expect('>')
      return { kind: 'map', key, value }
    }
    const scalar = scalars.get(token.text)
    if (scalar !== undefined) return { kind: 'scalar', name: scalar }
    return { kind: 'record', name: token.text, position }
  }

  /** False at the closing symbol, at the end of the source, and after a problem. */
  #more(closing: string): boolean {
    const { kind, text } = this.#current()
    return kind !== 'end' && text !== closing
  }

  #expectName(what: string): Token {
    const token = this.#expectWord(what)
    if (token.text.includes('.')) this.#failAt(token.position, `${what} has no dot`)
    return token
  }

  #expectWord(what: string): Token {
    const token = this.#current()
    if (token.kind !== 'word') this.#fail(`expected ${what}, found ${describe(token)}`)
    this.#advance()
    return token
  }

  #expect(text: string): void {
    const token = this.#current()
    if (token.text !== text) this.#fail(`expected '${text}', found ${describe(token)}`)
    this.#advance()
  }

  #fail(message: string): void {
    this.#failAt(this.#current().position, message)
  }

  /** Keeps the first problem and jumps to the end: what would follow from it is noise. */
  #failAt(position: Position, message: string): void {
    this.problem ??= { position, message }
    this.#at = this.#tokens.length - 1
  }

  #advance(): void {
    if (this.#at < this.#tokens.length - 1) this.#at += 1
  }

  #current(): Token {
    return this.#tokens[this.#at] ?? endToken
  }
}

const endToken: Token = {
  kind: 'end',
  text: '',
  position: { line: 1, column: 1 },
  comment: undefined,
}

function describe(token: Token): string {
  return token.kind === 'end' ? 'the end of the source' : `'${token.text}'`
}
