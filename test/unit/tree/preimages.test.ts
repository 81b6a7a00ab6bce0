import { describe, expect, it } from 'vitest'
import { AclTable } from '../../../src/tree/acl-table.ts'
import { Preimages } from '../../../src/tree/preimages.ts'
import { Znode } from '../../../src/tree/znode.ts'

const { open } = new AclTable()
const node = (): Znode => new Znode(Buffer.from('x'), open, 0n, 1, 1)
const texts = (records: readonly Buffer[]): string[] => records.map((bytes) => bytes.toString())

/** Records are the path and how many were written before, so that it shows when they were. */
function make(bytesMax = 1000): Preimages {
  let written = 0
  const write = (w: { writeBytes(bytes: Buffer): void }, path: string): void => {
    w.writeBytes(Buffer.from(`${path} ${written}`))
    written += 1
  }
  return new Preimages(write, bytesMax)
}

describe('nodes as they were before a change', () => {
  it('are kept as before the first, and taken once', () => {
    const images = make()
    const [a, b] = [node(), node()]
    images.keep('/a', a)
    images.keep('/a', a)
    images.keep('/b', b)
    expect(images.take(b)?.toString()).toBe('/b 1')
    expect(images.take(b)).toBeUndefined()
    expect(images.take(node())).toBeUndefined()
    expect(images.take(a)?.toString()).toBe('/a 0')
  })

  it('come with the rest, parents first, if the dump never came to them', () => {
    const images = make()
    for (const path of ['/a/b/c', '/a', '/a/b']) images.keep(path, node())
    expect(texts(images.takeRest())).toEqual(['/a 1', '/a/b 2', '/a/b/c 0'])
    expect(images.takeRest()).toEqual([])
  })

  it('stop being kept when they take too much, and begin anew', () => {
    const images = make(7)
    const [a, b] = [node(), node()]
    images.keep('/a', a)
    expect(images.isFull).toBe(false)
    images.take(a)
    images.keep('/a', a)
    images.keep('/b', b)
    expect(images.isFull).toBe(true)
    images.keep('/c', node())
    expect(texts(images.takeRest())).toEqual(['/a 1', '/b 2'])
    expect(images.isFull).toBe(false)
  })
})
