import { OpCode } from '../../src/data/op-code.ts'
import { ADVANCE_INTERVAL_MS } from '../../src/server/member.ts'
import type { MemoryServer } from '../support/memory-server.ts'
import { create, setData } from '../support/requests.ts'
import type { UnrecordedStep } from './replay.ts'

/** How the recorded servers were set up (raw-auth shows the super digest: of super:secret). */
export const recordedSettings: Readonly<Record<string, string>> = {
  tickTime: '1000',
  extendedTypesEnabled: 'true',
  'DigestAuthenticationProvider.superDigest': 'super:lK75jTNcA+U9vtVEw5vB51mj/w4=',
}

/**
 * When the servers started, in ms. At the first one the last three digits matter: sessions expire at
 * multiples of the tick after it. In raw-expiry one does so shortly before ..158.791, and between
 * c-client's connect request and its first create, at ..145.795, the one that zkcli-acl-auth left.
 * Ours may be ADVANCE_INTERVAL_MS late, so it starts that much earlier.
 */
export const serverStartWall: number = 1795301117785 - ADVANCE_INTERVAL_MS
export const ownServerStartWall = 1795303012000

/**
 * The scenarios that were played one after the other at one server, with the wall clock in ms at
 * their start: the time in a Stat less the offset of the request that caused it. Three have no Stat
 * of their own txns; theirs lies somewhere between their neighbours.
 */
export const inSequence: readonly (readonly [name: string, startWall: number])[] = [
  ['zkcli-basic', 1795301117919],
  ['zkcli-watches', 1795301121433],
  ['zkcli-acl-auth', 1795301123739],
  ['zkcli-noauth', 1795301125400], // Between its neighbours.
  ['zkcli-chroot', 1795301127154],
  ['zkcli-chroot2', 1795301128247],
  ['zkcli-quota', 1795301130067],
  ['zkcli-reconnect', 1795301131902],
  ['kazoo-session', 1795301138886],
  ['kazoo-transaction', 1795301139222],
  ['kazoo-reconnect', 1795301139344],
  ['c-client', 1795301145192],
  ['c-client-reconnect', 1795301149214],
  ['raw-handshake', 1795301154000], // Between its neighbours.
  ['raw-ops', 1795301154114],
  ['raw-badop', 1795301154300], // Between its neighbours.
  ['raw-multi', 1795301154408],
  ['raw-watches', 1795301154535],
  ['raw-setwatches', 1795301155794],
  ['raw-auth', 1795301156024],
  ['raw-expiry', 1795301156164],
  ['raw-pipeline', 1795301159103],
]

/** Played at a server of its own. */
export const onItsOwn: readonly (readonly [name: string, startWall: number])[] = [
  ['raw-watches2', 1795303012063],
]

export const outOfScope: ReadonlyMap<string, string> = new Map([
  ['raw-local-session', 'local sessions are a later issue'],
  ['raw-readonly-local-sessions', 'read-only mode and local sessions are a later issue'],
  ['raw-readonly-server', 'read-only mode is a later issue'],
])

/** A session of the recorder's own that writes and leaves: the txns before and after are its. */
const recorderWrites =
  (...writes: readonly (readonly [op: number, body: ReturnType<typeof create>])[]) =>
  (server: MemoryServer): void => {
    const client = server.connect()
    for (const [op, body] of writes) client.call(op, body)
    client.call(OpCode.closeSession)
  }

/**
 * What happened at the recorded server and stands in no recording. Everything else between two
 * scenarios is the server's own doing, and ours does it too: sessions that were left expire.
 */
export const unrecordedSteps: readonly UnrecordedStep[] = [
  {
    scenario: 'zkcli-reconnect',
    beforeConn: 2,
    atMs: 1113,
    run: recorderWrites(
      [OpCode.setData, setData('/wr', 'changed while away')],
      [OpCode.create, create('/wr/kid')],
      [OpCode.create, create('/wr2')],
      [OpCode.setData, setData('/wrp', 'changed')],
    ),
    evidence:
      'Session 72057678123630600 and zxids 71 to 76 are in no recording. /wr: data, mzxid 72 and its ' +
      'mtime, pzxid 73 and one child. /wr2: the event for it; the root has pzxid 74 in kazoo-session. ' +
      '/wrp: its version is 2 after the next setData. The name of the child is shown nowhere.',
  },
  {
    scenario: 'kazoo-reconnect',
    beforeConn: 2,
    atMs: 20,
    run: recorderWrites([OpCode.setData, setData('/kr', 'changed')]),
    evidence:
      'Session 72057678123630604 and zxids 100 to 102 are in no recording. The write between creating ' +
      'and closing the session left no node and took none away: getAllChildrenNumber of raw-ops. ' +
      'Which one it was is shown nowhere.',
  },
  {
    scenario: 'raw-badop',
    beforeConn: 5,
    atMs: 18,
    run: recorderWrites(),
    evidence:
      'Stands in for zxids 161 and 162: 3.8 executed op 20, and the client closed its session.',
  },
  {
    scenario: 'raw-badop',
    beforeConn: 6,
    atMs: 23,
    run: recorderWrites(),
    evidence:
      'Stands in for zxids 164 and 165: 3.8 executed op -10, and the client closed its session.',
  },
]
