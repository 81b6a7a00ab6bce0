import type { Class, Field, JuteType, Position, Problem } from './model.ts'

/**
 * Names that the generated file uses itself, or that TypeScript does not let an interface have. Field
 * names need no list: any word may be a property.
 */
const takenNames: ReadonlySet<string> = new Set([
  'Buffer',
  'JuteReader',
  'JuteWriter',
  'Map',
  'ReadonlyMap',
  ...['any', 'bigint', 'boolean', 'never', 'null', 'number', 'object', 'string', 'symbol'],
  ...['undefined', 'unknown', 'void', 'break', 'case', 'catch', 'class', 'const', 'continue'],
  ...['debugger', 'default', 'delete', 'do', 'else', 'enum', 'export', 'extends', 'false'],
  ...['finally', 'for', 'function', 'if', 'import', 'in', 'instanceof', 'new', 'return'],
  ...['super', 'switch', 'this', 'throw', 'true', 'try', 'typeof', 'var', 'while', 'with'],
  ...['let', 'static', 'yield', 'await', 'async', 'implements', 'interface', 'package'],
  ...['private', 'protected', 'public'],
])

/** Helpers for vectors and maps are called so, see emit. */
const helperName = /^(?:Nullable)?(?:Vector|Map)Of/u

/** The first thing that the grammar allows but the compiler cannot do, or that cannot be meant. */
export function check(classes: readonly Class[]): Problem | undefined {
  const byName = new Map<string, Class>()
  for (const each of classes) {
    const problem = checkName(each, byName)
    if (problem !== undefined) return problem
    byName.set(each.name, each)
  }
  for (const each of classes) {
    const problem = checkFields(each, byName)
    if (problem !== undefined) return problem
  }
  const finished = new Set<string>()
  for (const each of classes) {
    const problem = findCycle(each, byName, [], finished)
    if (problem !== undefined) return problem
  }
  return undefined
}

function checkName(each: Class, byName: ReadonlyMap<string, Class>): Problem | undefined {
  const { name, position } = each
  if (takenNames.has(name) || helperName.test(name))
    return { position, message: `a class cannot be called ${name} in TypeScript` }
  const other = byName.get(name)
  if (other !== undefined)
    return { position, message: `class ${name} is already on line ${other.position.line}` }
  // Every record takes at least a byte, or a vector of it could claim any count.
  if (each.fields.length === 0) return { position, message: `class ${name} has no field` }
  return undefined
}

function checkFields(each: Class, byName: ReadonlyMap<string, Class>): Problem | undefined {
  const seen = new Set<string>()
  for (const field of each.fields) {
    const message = seen.has(field.name) ? `field ${field.name} is there twice` : misuse(field)
    if (message !== undefined) return { position: field.position, message }
    seen.add(field.name)
    const unknown = findUnknown(field.type, byName)
    if (unknown !== undefined) return unknown
  }
  return undefined
}

function misuse(field: Field): string | undefined {
  const { type } = field
  const scalar = type.kind === 'scalar' ? type.name : undefined
  const hasLength = type.kind === 'vector' || type.kind === 'map'
  if (field.isNullable && !hasLength && scalar !== 'buffer' && scalar !== 'ustring')
    return `@nullable ${field.name} is no buffer, ustring, vector or map`
  if (field.isNumber && scalar !== 'long') return `@number ${field.name} is no long`
  return undefined
}

function findUnknown(type: JuteType, byName: ReadonlyMap<string, Class>): Problem | undefined {
  if (type.kind === 'vector') return findUnknown(type.element, byName)
  if (type.kind === 'map') return findUnknown(type.key, byName) ?? findUnknown(type.value, byName)
  if (type.kind === 'scalar' || resolve(type.name, byName) !== undefined) return undefined
  return { position: type.position, message: `unknown type ${type.name}` }
}

/** `Id`, or qualified by the module it is in: `org.apache.zookeeper.data.Id`. */
export function resolve(name: string, byName: ReadonlyMap<string, Class>): Class | undefined {
  const dot = name.lastIndexOf('.')
  const found = byName.get(name.slice(dot + 1))
  return dot < 0 || found?.module === name.slice(0, dot) ? found : undefined
}

/**
 * Not even through a vector: nested by the input, reading it would take as much stack as its sender
 * likes.
 */
function findCycle(
  each: Class,
  byName: ReadonlyMap<string, Class>,
  path: readonly string[],
  finished: Set<string>,
): Problem | undefined {
  if (finished.has(each.name)) return undefined
  for (const { name, position } of each.fields.flatMap((field) => referencesOf(field.type))) {
    const target = resolve(name, byName)
    if (target === undefined) continue
    const inner = [...path, each.name]
    if (inner.includes(target.name)) return cycleProblem(position, target.name)
    const problem = findCycle(target, byName, inner, finished)
    if (problem !== undefined) return problem
  }
  finished.add(each.name)
  return undefined
}

function cycleProblem(position: Position, name: string): Problem {
  return { position, message: `class ${name} contains itself` }
}

function referencesOf(type: JuteType): readonly { name: string; position: Position }[] {
  if (type.kind === 'vector') return referencesOf(type.element)
  if (type.kind === 'map') return [...referencesOf(type.key), ...referencesOf(type.value)]
  return type.kind === 'record' ? [type] : []
}
