/** The scalar types of Jute, by their names in the IDL. */
export type ScalarName =
  | 'boolean'
  | 'buffer'
  | 'byte'
  | 'double'
  | 'float'
  | 'int'
  | 'long'
  | 'ustring'

export type JuteType =
  | { readonly kind: 'scalar'; readonly name: ScalarName }
  | { readonly kind: 'vector'; readonly element: JuteType }
  | { readonly kind: 'map'; readonly key: JuteType; readonly value: JuteType }
  | { readonly kind: 'record'; readonly name: string; readonly position: Position }

/** Both from 1, as editors count. */
export interface Position {
  readonly line: number
  readonly column: number
}

export interface Field {
  readonly name: string
  readonly type: JuteType
  /** A length or count of -1 on the wire is null, rather than a failed read. */
  readonly isNullable: boolean
  /** A long that is a safe integer, and so a number in TypeScript. */
  readonly isNumber: boolean
  readonly comment: string | undefined
  readonly position: Position
}

export interface Class {
  readonly name: string
  readonly module: string
  readonly fields: readonly Field[]
  readonly comment: string | undefined
  readonly position: Position
}

/** What is wrong with a source, and where. */
export interface Problem {
  readonly position: Position
  readonly message: string
}

/** For the eye: `file:line:column: message`, as compilers write it and editors read it. */
export function formatProblem(file: string, problem: Problem): string {
  return `${file}:${problem.position.line}:${problem.position.column}: ${problem.message}`
}
