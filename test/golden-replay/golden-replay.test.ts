import { describe, expect, it } from 'vitest'
import { readScenario } from '../support/golden-wire.ts'
import { MemoryServer } from '../support/memory-server.ts'
import { GoldenReplay } from './replay.ts'

const settings = {
  tickTime: '1000',
  extendedTypesEnabled: 'true',
  'DigestAuthenticationProvider.superDigest': 'super:lK75jTNcA+U9vtVEw5vB51mj/w4=',
}

/** Played one after the other at one server, as they were recorded. */
const inSequence = [
  'zkcli-basic',
  'zkcli-watches',
  'zkcli-acl-auth',
  'zkcli-noauth',
  'zkcli-chroot',
  'zkcli-chroot2',
  'zkcli-quota',
  'zkcli-reconnect',
  'kazoo-session',
  'kazoo-transaction',
  'kazoo-reconnect',
  'c-client',
  'c-client-reconnect',
  'raw-handshake',
  'raw-ops',
  'raw-badop',
  'raw-multi',
  'raw-watches',
  'raw-setwatches',
  'raw-auth',
  'raw-expiry',
  'raw-pipeline',
]

describe('recorded clients get the recorded replies', () => {
  const replay = new GoldenReplay(new MemoryServer({ settings }))
  for (const name of inSequence)
    it(name, () => {
      expect(replay.play(readScenario(name))).toEqual([])
    })
})
