import { resolve } from './check.ts'
import type { Class, Field, JuteType, ScalarName } from './model.ts'

const LINE_CHARS_MAX = 100
const INDENT = '  '

interface Scalar {
  /** In TypeScript. */
  readonly type: string
  /** The suffix of the reader's and the writer's method. */
  readonly method: string
  readonly bytesMin: number
}

const scalars: Readonly<Record<ScalarName, Scalar>> = {
  boolean: { type: 'boolean', method: 'Boolean', bytesMin: 1 },
  buffer: { type: 'Buffer', method: 'Buffer', bytesMin: 4 },
  byte: { type: 'number', method: 'Byte', bytesMin: 1 },
  double: { type: 'number', method: 'Double', bytesMin: 8 },
  float: { type: 'number', method: 'Float', bytesMin: 4 },
  int: { type: 'number', method: 'Int', bytesMin: 4 },
  long: { type: 'bigint', method: 'Long', bytesMin: 8 },
  ustring: { type: 'string', method: 'String', bytesMin: 4 },
}

/** A long with @number. */
const numberScalar: Scalar = { type: 'number', method: 'Number', bytesMin: 8 }

/** TypeScript for checked classes, formatted as biome and prettier do without semicolons. */
export function emit(classes: readonly Class[], sourceName: string): string {
  return new Emitter(classes).emit(sourceName)
}

class Emitter {
  readonly #classes: readonly Class[]
  readonly #byName: ReadonlyMap<string, Class>
  /** Functions for vectors and maps, by name, each needed once however many fields use it. */
  readonly #helpers = new Map<string, string>()
  readonly #bytesMinByName = new Map<string, number>()

  constructor(classes: readonly Class[]) {
    this.#classes = classes
    this.#byName = new Map(classes.map((each) => [each.name, each]))
  }

  emit(sourceName: string): string {
    const records = this.#classes.map((each) => this.#emitClass(each))
    const head = [
      `// Generated from ${sourceName} by jute-ts, do not edit: compile ${sourceName} anew.`,
      "import type { JuteReader, JuteWriter } from 'jute-ts'",
    ].join('\n')
    return `${[head, ...records, ...this.#helpers.values()].join('\n\n')}\n`
  }

  #emitClass({ name, fields, comment }: Class): string {
    const members = fields.map((field) => [
      ...doc(field.comment, INDENT),
      `${INDENT}readonly ${field.name}: ${this.#fieldType(field)}`,
    ])
    const reads = fields.map(
      (field) => `${INDENT}${INDENT}${field.name}: ${this.#readField(field)},`,
    )
    return [
      ...doc(comment, ''),
      `export interface ${name} {`,
      ...members.flat(),
      '}',
      '',
      ...signature(`export function read${name}`, ['r: JuteReader'], name),
      `${INDENT}return {`,
      ...reads,
      `${INDENT}}`,
      '}',
      '',
      ...signature(`export function write${name}`, ['w: JuteWriter', `v: ${name}`], 'void'),
      ...this.#writeFields(fields),
      '}',
    ].join('\n')
  }

  #fieldType(field: Field): string {
    if (field.isNumber) return numberScalar.type
    return this.#typeOf(field.type) + (field.isNullable ? ' | null' : '')
  }

  #typeOf(type: JuteType): string {
    switch (type.kind) {
      case 'scalar':
        return scalars[type.name].type
      case 'record':
        return this.#className(type.name)
      case 'vector': {
        const element = this.#typeOf(type.element)
        return element.startsWith('readonly ') ? `readonly (${element})[]` : `readonly ${element}[]`
      }
      case 'map':
        return `ReadonlyMap<${this.#typeOf(type.key)}, ${this.#typeOf(type.value)}>`
    }
  }

  #readField(field: Field): string {
    const { type, isNullable } = field
    if (field.isNumber) return `r.read${numberScalar.method}()`
    if (type.kind === 'scalar')
      return `r.read${isNullable ? 'Nullable' : ''}${scalars[type.name].method}()`
    return isNullable ? `${this.#nullableReader(type)}(r)` : this.#readValue(type)
  }

  #readValue(type: JuteType): string {
    if (type.kind === 'scalar') return `r.read${scalars[type.name].method}()`
    if (type.kind === 'record') return `read${this.#className(type.name)}(r)`
    return `${this.#collectionReader(type)}(r)`
  }

  /** Neighbours of fixed size share one check for room; what they write is patched in. */
  #writeFields(fields: readonly Field[]): string[] {
    const lines: string[] = []
    let runs = 0
    for (let i = 0; i < fields.length; ) {
      const run = fixedRun(fields, i)
      if (run.length > 1) {
        runs += 1
        lines.push(...writeRun(run, runs === 1 ? 'at' : `at${runs}`))
        i += run.length
        continue
      }
      const field = fields[i]
      if (field !== undefined) lines.push(INDENT + this.#writeField(field))
      i += 1
    }
    return lines
  }

  #writeField(field: Field): string {
    const { name, type } = field
    if (field.isNumber) return `w.write${numberScalar.method}(v.${name})`
    if (field.isNullable && type.kind !== 'scalar')
      return `${this.#nullableWriter(type)}(w, v.${name})`
    return this.#writeValue(type, `v.${name}`)
  }

  #writeValue(type: JuteType, value: string): string {
    if (type.kind === 'scalar') return `w.write${scalars[type.name].method}(${value})`
    if (type.kind === 'record') return `write${this.#className(type.name)}(w, ${value})`
    return `${this.#collectionWriter(type)}(w, ${value})`
  }

  /** A null vector fails here; the loop stops at the first element that does. */
  #collectionReader(type: JuteType): string {
    const result = this.#typeOf(type)
    return this.#helper(`read${this.#nameOf(type)}`, (name) => [
      ...signature(`function ${name}`, ['r: JuteReader'], result),
      `${INDENT}const count = r.readVectorCount(${this.#elementBytesMin(type)})`,
      `${INDENT}if (count < 0) r.fail()`,
      ...this.#readElements(type),
    ])
  }

  #nullableReader(type: JuteType): string {
    const result = `${this.#typeOf(type)} | null`
    return this.#helper(`readNullable${this.#nameOf(type)}`, (name) => [
      ...signature(`function ${name}`, ['r: JuteReader'], result),
      `${INDENT}const count = r.readVectorCount(${this.#elementBytesMin(type)})`,
      `${INDENT}if (count < 0) return null`,
      ...this.#readElements(type),
    ])
  }

  #readElements(type: JuteType): string[] {
    const loop = 'for (let i = 0; i < count && r.ok; i += 1)'
    if (type.kind === 'map') {
      const types = `${this.#typeOf(type.key)}, ${this.#typeOf(type.value)}`
      return [
        `${INDENT}const items = new Map<${types}>()`,
        `${INDENT}${loop} items.set(${this.#readValue(type.key)}, ${this.#readValue(type.value)})`,
        `${INDENT}return r.ok ? items : new Map()`,
        '}',
      ]
    }
    const element = type.kind === 'vector' ? type.element : type
    const elementType = this.#typeOf(element)
    const array = elementType.startsWith('readonly ') ? `(${elementType})[]` : `${elementType}[]`
    return [
      `${INDENT}const items: ${array} = []`,
      `${INDENT}${loop} items.push(${this.#readValue(element)})`,
      `${INDENT}return r.ok ? items : []`,
      '}',
    ]
  }

  #collectionWriter(type: JuteType): string {
    const loop =
      type.kind === 'map'
        ? [
            `${INDENT}w.writeInt(items.size)`,
            `${INDENT}for (const [key, value] of items) {`,
            `${INDENT}${INDENT}${this.#writeValue(type.key, 'key')}`,
            `${INDENT}${INDENT}${this.#writeValue(type.value, 'value')}`,
            `${INDENT}}`,
          ]
        : [
            `${INDENT}w.writeInt(items.length)`,
            `${INDENT}for (const item of items) ${this.#writeValue(type.kind === 'vector' ? type.element : type, 'item')}`,
          ]
    return this.#helper(`write${this.#nameOf(type)}`, (name) => [
      ...signature(`function ${name}`, ['w: JuteWriter', `items: ${this.#typeOf(type)}`], 'void'),
      ...loop,
      '}',
    ])
  }

  #nullableWriter(type: JuteType): string {
    const items = `items: ${this.#typeOf(type)} | null`
    const writer = this.#collectionWriter(type)
    return this.#helper(`writeNullable${this.#nameOf(type)}`, (name) => [
      ...signature(`function ${name}`, ['w: JuteWriter', items], 'void'),
      `${INDENT}if (items === null) w.writeInt(-1)`,
      `${INDENT}else ${writer}(w, items)`,
      '}',
    ])
  }

  #helper(name: string, lines: (name: string) => readonly string[]): string {
    if (!this.#helpers.has(name)) {
      // Taken first: a helper for an element comes after the one for its vector.
      this.#helpers.set(name, '')
      this.#helpers.set(name, lines(name).join('\n'))
    }
    return name
  }

  /** VectorOfUstring, MapOfIntToVectorOfACL: no two types share one, see check. */
  #nameOf(type: JuteType): string {
    switch (type.kind) {
      case 'scalar':
        return type.name.charAt(0).toUpperCase() + type.name.slice(1)
      case 'record':
        return this.#className(type.name)
      case 'vector':
        return `VectorOf${this.#nameOf(type.element)}`
      case 'map':
        return `MapOf${this.#nameOf(type.key)}To${this.#nameOf(type.value)}`
    }
  }

  #elementBytesMin(type: JuteType): number {
    if (type.kind === 'map') return this.#bytesMin(type.key) + this.#bytesMin(type.value)
    return this.#bytesMin(type.kind === 'vector' ? type.element : type)
  }

  /** The fewest bytes a value can take: what a claimed count is checked against. */
  #bytesMin(type: JuteType): number {
    if (type.kind === 'scalar') return scalars[type.name].bytesMin
    if (type.kind !== 'record') return 4
    const known = this.#bytesMinByName.get(type.name)
    if (known !== undefined) return known
    const fields = resolve(type.name, this.#byName)?.fields ?? []
    const sum = fields.reduce((bytes, field) => bytes + this.#bytesMin(field.type), 0)
    this.#bytesMinByName.set(type.name, sum)
    return sum
  }

  #className(reference: string): string {
    return reference.slice(reference.lastIndexOf('.') + 1)
  }
}

interface FixedField {
  readonly name: string
  readonly scalar: Scalar
}

/** The fields from `start` on whose size does not depend on their value. */
function fixedRun(fields: readonly Field[], start: number): readonly FixedField[] {
  const run: FixedField[] = []
  for (const { name, type, isNumber } of fields.slice(start)) {
    if (type.kind !== 'scalar' || type.name === 'buffer' || type.name === 'ustring') break
    run.push({ name, scalar: isNumber ? numberScalar : scalars[type.name] })
  }
  return run
}

function writeRun(run: readonly FixedField[], at: string): string[] {
  const lines: string[] = []
  let bytes = 0
  for (const { name, scalar } of run) {
    const offset = bytes === 0 ? at : `${at} + ${bytes}`
    lines.push(`${INDENT}w.patch${scalar.method}(${offset}, v.${name})`)
    bytes += scalar.bytesMin
  }
  return [`${INDENT}const ${at} = w.reserve(${bytes})`, ...lines]
}

/** The head of a function up to its {, one parameter a line if it is too long. */
function signature(name: string, parameters: readonly string[], result: string): string[] {
  const line = `${name}(${parameters.join(', ')}): ${result} {`
  if (line.length <= LINE_CHARS_MAX) return [line]
  return [`${name}(`, ...parameters.map((each) => `${INDENT}${each},`), `): ${result} {`]
}

function doc(comment: string | undefined, indent: string): string[] {
  if (comment === undefined) return []
  const line = `${indent}/** ${comment} */`
  if (!comment.includes('\n') && line.length <= LINE_CHARS_MAX) return [line]
  const lines = comment.split('\n').map((each) => `${indent} * ${each}`.trimEnd())
  return [`${indent}/**`, ...lines, `${indent} */`]
}
