import { describe, expect, it } from 'vitest'
import { ConfigReader, rangeText } from '../../../src/config/reader.ts'

function reader(
  lines: readonly (readonly [string, string])[],
  flags: Record<string, string> = {},
): ConfigReader {
  const entries = lines.map(([key, value], at) => ({ key, value, line: at + 1 }))
  return new ConfigReader(entries, 'zoo.cfg', new Map(Object.entries(flags)))
}

describe('a setting', () => {
  it('of the file wins over a flag, and a later line over an earlier one', () => {
    const one = reader(
      [
        ['a', '1'],
        [' a ', ' 2 '],
      ],
      { 'zookeeper.a': '3', 'zookeeper.b': '4' },
    )
    expect(one.findIn('a', 'property')).toMatchObject({ key: 'a', value: '2', line: 2 })
    expect(one.notes).toEqual(['a is set twice: line 2 wins over 1'])
    expect(one.findIn('b', 'property')).toMatchObject({ key: '-Dzookeeper.b', value: '4' })
    expect(one.findIn('b', 'file')).toBeUndefined()
  })

  it('that nobody has asked for is known to be unread', () => {
    const one = reader(
      [
        ['a', '1'],
        ['b', '2'],
      ],
      { 'zookeeper.c': '3', 'zookeeper.d': '4' },
    )
    one.findIn('a', 'file')
    one.findIn('c', 'property')
    expect(one.unread().map(({ key }) => key)).toEqual(['b', '-Dzookeeper.d'])
    expect([one.knows('a'), one.knows('b')]).toEqual([true, false])
  })

  it('is one of a family by its whole first name', () => {
    const lines = [
      ['auth', '1'],
      ['auth.x', '2'],
      ['author', '3'],
    ] as const
    const found = reader(lines, { 'zookeeper.auth.y': '4' }).family('auth')
    expect(found.map(({ value }) => value).sort()).toEqual(['1', '2', '4'])
  })
})

describe('a whole number', () => {
  it.each([
    ['7', 'file', 7],
    ['+7', 'file', 7],
    ['0x10', 'property', 16],
    ['#10', 'property', 16],
    ['0x10', 'file', undefined],
    ['7.0', 'property', undefined],
    ['', 'property', undefined],
    ['11', 'file', undefined],
    ['-1', 'file', undefined],
  ] as const)('"%s" of a %s is %s, from 0 to 10 or in hex to 16', (value, scope, expected) => {
    const one = reader([])
    const setting = { key: 'a', value, file: 'zoo.cfg', line: 1 }
    const max = value.startsWith('0x') || value.startsWith('#') ? 16 : 10
    expect(one.integerOf(setting, scope, { min: 0, max })).toBe(expected)
    expect(one.firstError() === undefined).toBe(expected !== undefined)
  })

  it('has its range told in words', () => {
    expect([{ min: 1 }, { min: 0 }, { min: 2, max: 5, unit: 'ms' }].map(rangeText)).toEqual([
      ' above 0',
      ', 0 or more',
      ' of ms from 2 to 5',
    ])
  })
})

it('the first error is the one that stands first; what is missing comes last', () => {
  const one = reader([])
  one.refuseMissing('c', 'is missing')
  one.refuse({ key: 'b', value: '', file: 'zoo.cfg', line: 9 }, 'is wrong')
  one.refuse({ key: 'a', value: '', file: 'zoo.cfg', line: 3 }, 'is wrong')
  expect(one.firstError()).toMatchObject({ key: 'a', line: 3 })
})
