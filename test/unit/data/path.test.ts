import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isUndeletable, parentOf, pathProblem, sequenceSuffix } from '../../../src/data/path.ts'

/** Spec 05 §4 to the letter, however slow. */
function isValidNaively(path: string): boolean {
  if (path === '/') return true
  const [first, ...names] = path.split('/')
  if (first !== '' || names.length === 0) return false
  if (names.some((name) => name === '' || name === '.' || name === '..')) return false
  const forbidden = [
    [0x0000, 0x001f],
    [0x007f, 0x009f],
    [0xd800, 0xf8ff],
    [0xfff0, 0xffff],
  ] as const
  for (let at = 0; at < path.length; at += 1) {
    const unit = path.charCodeAt(at)
    if (forbidden.some(([low, high]) => unit >= low && unit <= high)) return false
  }
  return true
}

describe('pathProblem', () => {
  test.each([
    '/',
    '/a',
    '/a/b',
    '/...',
    '/.a',
    '/a.',
    '/..a/b..',
    '/a/.b/c',
    '/\u0020 ~',
    '/\u00a0\ud7ff\uf900\uffef',
  ])('%j can be created', (path) => {
    expect(pathProblem(path)).toBeUndefined()
  })

  test.each([
    '',
    'a',
    'a/b',
    '//',
    '/a/',
    '/a//b',
    '/.',
    '/..',
    '/a/.',
    '/a/..',
    '/./a',
    '/a/../b',
    '/\0',
    '/\u001f',
    '/\u007f',
    '/\u009f',
    '/\ud800',
    '/\u{1f600}',
    '/\uf8ff',
    '/\ufff0',
    '/\uffff',
  ])('%j cannot', (path) => {
    expect(pathProblem(path)).toBeTypeOf('string')
  })

  test('says what and where', () => {
    expect(pathProblem('/ab//c')).toBe('empty or relative name at 4')
    expect(pathProblem('/ab/../c')).toBe('empty or relative name at 4')
    expect(pathProblem('/ab/')).toBe('path ends with a slash')
    expect(pathProblem('/a\0')).toBe('forbidden character U+0000 at 2')
  })

  test('agrees with the rules read naively', () => {
    const piece = fc.oneof(
      fc.constantFrom('/', '/', '.', '..', 'a', 'node-1', '\u00a0', '\uffef', '\uf900'),
      fc.string({ unit: 'binary', maxLength: 3 }),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    )
    const path = fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('')}`)
    fc.assert(
      fc.property(path, (text) => {
        expect(pathProblem(text) === undefined).toBe(isValidNaively(text))
      }),
      { numRuns: 500 },
    )
  })

  test('every UTF-16 unit by itself', () => {
    for (let unit = 0; unit <= 0xffff; unit += 1) {
      const path = `/${String.fromCharCode(unit)}x`
      if ((pathProblem(path) === undefined) !== isValidNaively(path)) expect.fail(`U+${unit}`)
    }
  })
})

test('parents', () => {
  expect(parentOf('/a/b')).toBe('/a')
  expect(parentOf('/a')).toBe('/')
  expect(parentOf('/')).toBe('')
  expect([parentOf(''), parentOf('a')]).toEqual(['', ''])
  // The parent of a sequential create whose name is all suffix (spec 05 §3).
  expect(parentOf('/a/')).toBe('/a')
})

test('undeletable are the four nodes of the start', () => {
  for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config'])
    expect(isUndeletable(path)).toBe(true)
  for (const path of ['', '/a', '/zookeeper/quota/a', '/zookeeper2'])
    expect(isUndeletable(path)).toBe(false)
})

test('a sequence suffix is a Java int in at least ten places', () => {
  expect(sequenceSuffix(0)).toBe('0000000000')
  expect(sequenceSuffix(5)).toBe('0000000005')
  expect(sequenceSuffix(2147483647)).toBe('2147483647')
  expect(sequenceSuffix(-2147483648)).toBe('-2147483648')
  expect(sequenceSuffix(-7)).toBe('-000000007')
})
