import { expect, it } from 'vitest'
import {
  Descriptors,
  FILE_DESCRIPTORS_RESERVED,
  PEER_DESCRIPTORS_RESERVED,
} from '../../../../src/node/files/descriptors.ts'

const takeAll = (descriptors: Descriptors, kind: 'client' | 'peer'): number => {
  let taken = 0
  while (taken < 2000 && descriptors.take(kind)) taken += 1
  return taken
}

it('lets in clients, then peers, and leaves the rest to files', () => {
  const descriptors = new Descriptors(1024)
  expect(takeAll(descriptors, 'client')).toBe(
    1024 - FILE_DESCRIPTORS_RESERVED - PEER_DESCRIPTORS_RESERVED,
  )
  expect(takeAll(descriptors, 'peer')).toBe(PEER_DESCRIPTORS_RESERVED)
  descriptors.release()
  expect(descriptors.take('client')).toBe(false)
  expect(descriptors.take('peer')).toBe(true)
})

it('lets in somebody also where the limit is very low', () => {
  expect(takeAll(new Descriptors(64), 'client')).toBe(32)
})

it('refuses nobody where the limit is not known', () => {
  expect(takeAll(new Descriptors(-1), 'client')).toBe(2000)
})
