import type { Position, Problem } from './model.ts'

export type TokenKind = 'word' | 'annotation' | 'symbol' | 'end'

export interface Token {
  readonly kind: TokenKind
  /** As in the source; an annotation with its @. Empty at the end of the source. */
  readonly text: string
  readonly position: Position
  /** The text of a doc comment right before the token, without stars, lines joined by '\n'. */
  readonly comment: string | undefined
}

export type LexResult =
  | { readonly ok: true; readonly tokens: readonly Token[] }
  | { readonly ok: false; readonly problem: Problem }

/** Space, a comment, an annotation, a word or a symbol. An unclosed comment is none of them. */
const lexeme =
  /\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|@[A-Za-z]\w*|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*|[{}<>,;]/uy

/** The tokens of an IDL source, an 'end' token last. Comments are dropped, but for doc comments. */
export function lex(source: string): LexResult {
  const tokens: Token[] = []
  const at = { line: 1, column: 1 }
  let comment: string | undefined
  lexeme.lastIndex = 0
  while (lexeme.lastIndex < source.length) {
    const offset = lexeme.lastIndex
    const position: Position = { ...at }
    const text = lexeme.exec(source)?.[0]
    if (text === undefined)
      return { ok: false, problem: { position, message: lexProblem(source, offset) } }
    advance(at, text)
    if (text.startsWith('/')) comment = docText(text) ?? comment
    else if (text.trim() !== '') {
      tokens.push({ kind: kindOf(text), text, position, comment })
      comment = undefined
    }
  }
  tokens.push({ kind: 'end', text: '', position: { ...at }, comment: undefined })
  return { ok: true, tokens }
}

function kindOf(text: string): TokenKind {
  if (text.startsWith('@')) return 'annotation'
  return /^\w/u.test(text) ? 'word' : 'symbol'
}

function advance(at: { line: number; column: number }, text: string): void {
  const lastNewline = text.lastIndexOf('\n')
  if (lastNewline < 0) {
    at.column += text.length
    return
  }
  at.line += text.split('\n').length - 1
  at.column = text.length - lastNewline
}

function docText(comment: string): string | undefined {
  if (!comment.startsWith('/**') || comment === '/**/') return undefined
  const lines = comment.slice(3, -2).split('\n')
  const text = lines.map((line) => line.replace(/^\s*\*?/u, '').trim())
  return text.join('\n').trim()
}

function lexProblem(source: string, offset: number): string {
  if (source.startsWith('/*', offset)) return 'comment is not closed'
  return `unexpected character ${JSON.stringify(String.fromCodePoint(source.codePointAt(offset) ?? 0))}`
}
