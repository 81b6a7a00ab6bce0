import { expect, it } from 'vitest'
import { NamespaceBytes } from '../../../../src/server/stats/namespace-bytes.ts'

type Set = ConstructorParameters<typeof NamespaceBytes>[0]

it('counts by the first name of a path, though the last name is tried first', () => {
  const added: string[] = []
  const of = (name: string): object => ({ add: (bytes: number) => added.push(`${name} ${bytes}`) })
  const set: object = { of }
  const counted = new NamespaceBytes(set as Set)
  const paths = ['/a', '/a/x', '/ab', '/ab/a', '/a', '/', '/a/ab']
  for (const [at, path] of paths.entries()) counted.add(path, at)
  expect(added).toEqual(['a 0', 'a 1', 'ab 2', 'ab 3', 'a 4', 'a 6'])
})
