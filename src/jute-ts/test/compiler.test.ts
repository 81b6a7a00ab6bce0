import { compile } from 'jute-ts/compiler'
import { describe, expect, it } from 'vitest'

const inModule = (body: string): string => `module a.b {\n${body}\n}\n`

function codeOf(source: string): string {
  const result = compile(source, 'some/folder/x.jute')
  return result.ok ? result.code : result.error
}

describe('the code', () => {
  it('is an interface, a read and a write function for each class', () => {
    const source = inModule('/** A point. */ class Point { int x; @number long y; ustring name; }')
    expect(
      codeOf(source),
    ).toBe(`// Generated from x.jute by jute-ts, do not edit: compile x.jute anew.
import type { JuteReader, JuteWriter } from 'jute-ts'

/** A point. */
export interface Point {
  readonly x: number
  readonly y: number
  readonly name: string
}

export function readPoint(r: JuteReader): Point {
  return {
    x: r.readInt(),
    y: r.readNumber(),
    name: r.readString(),
  }
}

export function writePoint(w: JuteWriter, v: Point): void {
  const at = w.reserve(12)
  w.patchInt(at, v.x)
  w.patchNumber(at + 4, v.y)
  w.writeString(v.name)
}
`)
  })

  it('has one helper for each type of vector and map, with its smallest element', () => {
    const code = codeOf(
      inModule(`
        class Id { ustring scheme; ustring id; }
        class A { vector<a.b.Id> first; @nullable vector<Id> second; }
        class B { vector<Id> third; map<byte, Id> ids; }`),
    )
    expect(code.match(/^function \w+/gmu)).toEqual([
      'function readVectorOfId',
      'function readNullableVectorOfId',
      'function writeVectorOfId',
      'function writeNullableVectorOfId',
      'function readMapOfByteToId',
      'function writeMapOfByteToId',
    ])
    expect(code.match(/readVectorCount\(\d+\)/gu)).toEqual([
      'readVectorCount(8)',
      'readVectorCount(8)',
      'readVectorCount(9)',
    ])
  })

  it('breaks a head that is longer than a line', () => {
    const name = 'AnUncommonlyLongNameForOneOfTheClasses'
    expect(codeOf(inModule(`class ${name} { int x; }`))).toContain(
      `export function write${name}(\n  w: JuteWriter,\n  v: ${name},\n): void {\n`,
    )
  })

  it('takes doc comments over, and no others', () => {
    const code = codeOf(
      inModule(`
        // Not this.
        /* Nor this. */
        class A {
          /** Of one field,
           *  on two lines. */
          int x; // Nor this.
          /**/ int y;
        }`),
    )
    expect(code).toContain('  /**\n   * Of one field,\n   * on two lines.\n   */\n  readonly x')
    expect(code).not.toMatch(/this/u)
  })

  it('of classes that share others takes no longer for it', () => {
    const classes = Array.from(
      { length: 40 },
      (_, i) => `class C${i + 1} { C${i} a; C${i} b; }`,
    ).join('\n')
    const code = codeOf(inModule(`class C0 { byte x; } ${classes} class V { vector<C40> v; }`))
    expect(code).toContain(`readVectorCount(${2 ** 40})`)
  })

  it('of nothing is only a head', () => {
    expect(codeOf('')).toMatch(/^\/\/ Generated .*\nimport .*\n$/u)
  })
})

describe('an error', () => {
  it.each([
    ['class A { int x; }', "1:1: expected 'module', found 'class'"],
    ['module a {', "1:11: expected '}', found the end of the source"],
    ['module a { class A { int x } }', "1:28: expected ';', found '}'"],
    ['module a {\n  class A { int 5; } }', '2:17: unexpected character "5"'],
    ['module a {\n\n/* never', '3:1: comment is not closed'],
    ['module a { class A { int x; }; }', "1:30: expected 'class', found ';'"],
    ['module a { class a.b { int x; } }', '1:18: a class name has no dot'],
    ['module a { class A { ; } }', "1:22: expected a type, found ';'"],
    ['module a { class A { vector<int x; } }', "1:33: expected '>', found 'x'"],
    ['module a { class A { map<int> x; } }', "1:29: expected ',', found '>'"],
    ['module a { class A { @maybe int x; } }', '1:22: unknown annotation @maybe'],
    ['module a { class A { @number @number long x; } }', '1:30: @number is there twice'],
    ['module a { class A { @nullable int x; } }', '1:36: @nullable x is no buffer'],
    ['module a { class A { @number int x; } }', '1:34: @number x is no long'],
    ['module a { class A { B x; } }', '1:22: unknown type B'],
    ['module a { class A { vector<map<int,a.C>> x; } }', '1:37: unknown type a.C'],
    ['module a { class B { int x; } class A { c.B x; } }', '1:41: unknown type c.B'],
    ['module a { class A { int x; int x; } }', '1:33: field x is there twice'],
    ['module a { class A { int x; } class A { int x; } }', '1:37: class A is already on line 1'],
    ['module a { class A { } }', '1:18: class A has no field'],
    ['module a { class Buffer { int x; } }', '1:18: a class cannot be called Buffer'],
    ['module a { class VectorOfX { int x; } }', '1:18: a class cannot be called VectorOfX'],
    ['module a { class A { vector<A> x; } }', '1:29: class A contains itself'],
    [
      'module a { class A { B x; } class B { C y; } class C { map<int, B> z; } }',
      '1:65: class B contains itself',
    ],
    ['include "b.jute"', '1:9: unexpected character "\\""'],
    ['include b', '1:1: include is not supported'],
    [`module a { class A { ${'vector<'.repeat(40)}`, '1:253: types are nested too deeply'],
  ])('in %s', (source, message) => {
    const result = compile(source, 'x.jute')
    expect(result.ok ? 'no error' : result.error).toContain(`x.jute:${message}`)
    expect(codeOf(source)).not.toContain('\n')
  })
})
