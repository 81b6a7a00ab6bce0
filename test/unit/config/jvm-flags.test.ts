import { expect, it } from 'vitest'
import { systemProperties } from '../../../src/config/jvm-flags.ts'

it('takes the -D flags and leaves the options of a JVM', () => {
  const flags = '-Xmx512m -Dzookeeper.skipACL=yes -XX:+UseG1GC -Dempty= -Dbare -cp a:b -D=x -D'
  expect([...systemProperties(flags)]).toEqual([
    ['zookeeper.skipACL', 'yes'],
    ['empty', ''],
    ['bare', ''],
  ])
})

it('splits words as a shell does', () => {
  const flags = `\t-Da="x y"  '-Db=it is' -Dc=\\"q\\" -Dd=a\\ b\n-De='\\' -Df=a"b"'c' -Dg="open -Dh`
  expect([...systemProperties(flags)]).toEqual([
    ['a', 'x y'],
    ['b', 'it is'],
    ['c', '"q"'],
    ['d', 'a b'],
    ['e', '\\'],
    ['f', 'abc'],
    ['g', 'open -Dh'],
  ])
})

it('lets the last flag win, and keeps what stands behind the first =', () => {
  const flags = '-Dx=1 -Dx=super:a=b=='
  expect([...systemProperties(flags)]).toEqual([['x', 'super:a=b==']])
  expect(systemProperties('').size).toBe(0)
})
