import { expect, test } from 'vitest'
import { runFourLetterWord } from '../../../src/admin/four-letter-words.ts'
import type { ServerView, SessionView } from '../../../src/admin/server-view.ts'
import { golden, makeCnxn, makeView, noSessions } from '../../support/view-fixture.ts'

// 'Sat Nov 21 22:48:00 UTC 2026' at 1,000 s on the monotonic clock.
const clock = { mono: 1_000_000, wall: 1_795_301_280_000 }
const at = (second: number): number => clock.mono + second * 1000

const SESSION_0 = 0x1000015f6600000n
const SESSION_1 = 0x1000015f6600001n

function dump(changes: Partial<ServerView>): string {
  return [...runFourLetterWord('dump', makeView({ clock, ...changes }), '*', Buffer.alloc(0))].join(
    '',
  )
}

test('an empty server', () => {
  const cnxns = [makeCnxn({ port: 54586, expiresMono: at(4) })]
  expect(dump({ cnxns })).toBe(golden('empty-dump'))
})

test('two sessions with ephemerals, in the order of their deadlines', () => {
  const text = dump({
    sessions: {
      ...noSessions,
      global: [
        { sessionId: SESSION_1, timeoutMs: 40000, expiresMono: at(34) },
        { sessionId: SESSION_0, timeoutMs: 30000, expiresMono: at(24) },
      ],
      globalCount: 2,
    },
    ephemerals: new Map([
      [SESSION_1, new Set(['/app/e2'])],
      [SESSION_0, new Set(['/app/e1'])],
    ]),
    cnxns: [
      makeCnxn({ port: 54600, sessionId: SESSION_1, expiresMono: at(34) }),
      makeCnxn({ port: 54596, sessionId: SESSION_0, expiresMono: at(24) }),
      makeCnxn({ port: 54636, expiresMono: at(4) }),
    ],
  })
  expect(text).toBe(golden('dump'))
})

// The ensemble was recorded 21 minutes and 50 seconds later.
const LATER = 21 * 60 + 50
const SESSION_A = 0x1000029e1ee0000n
const SESSION_B = 0x3000029e22e0000n

test('a leader', () => {
  const text = dump({
    mode: 'leader',
    sessions: {
      ...noSessions,
      global: [
        { sessionId: SESSION_A, timeoutMs: 20000, expiresMono: at(LATER + 10) },
        { sessionId: SESSION_B, timeoutMs: 20000, expiresMono: at(LATER + 11) },
      ],
      globalCount: 2,
    },
    ephemerals: [[SESSION_A, ['/a']]],
    cnxns: [
      makeCnxn({ port: 35214, expiresMono: at(LATER + 4) }),
      makeCnxn({ port: 35150, sessionId: SESSION_B, expiresMono: at(LATER + 14) }),
    ],
  })
  expect(text).toBe(golden('quorum-leader-dump'))
})

const learned: readonly SessionView[] = [
  { sessionId: SESSION_B, timeoutMs: 20000, expiresMono: undefined },
  { sessionId: SESSION_A, timeoutMs: 20000, expiresMono: undefined },
]
const learnerSessions = { ...noSessions, ownsDeadlines: false, global: learned, globalCount: 2 }

test('a follower and an observer, which know timeouts but no deadlines', () => {
  const follower = dump({
    mode: 'follower',
    sessions: learnerSessions,
    ephemerals: [[SESSION_A, ['/a']]],
    cnxns: [
      makeCnxn({ port: 56344, expiresMono: at(LATER + 4) }),
      makeCnxn({ port: 56316, sessionId: SESSION_A, expiresMono: at(LATER + 14) }),
    ],
  })
  expect(follower).toBe(golden('quorum-follower-dump'))
  const observer = dump({
    mode: 'observer',
    sessions: learnerSessions,
    ephemerals: [[SESSION_A, ['/a']]],
    cnxns: [makeCnxn({ port: 35390, expiresMono: at(LATER + 4) })],
  })
  expect(observer).toBe(golden('quorum-observer-dump'))
})

test('local sessions come first, under a name of their own', () => {
  const local = [{ sessionId: 0xan, timeoutMs: 4000, expiresMono: at(2) }]
  const sessions = { ...noSessions, localSessionsEnabled: true, local, localCount: 1 }
  expect(dump({ sessions }).split('\n').slice(1, 5)).toEqual([
    'Local Session Sets (1)/(1):',
    '1 expire at Sat Nov 21 22:48:02 UTC 2026:',
    '\t0xa',
    'Global Session Sets (0)/(0):',
  ])
  const learner = { ...learnerSessions, localSessionsEnabled: true, local, localCount: 1 }
  expect(dump({ sessions: learner }).split('\n').slice(1, 6)).toEqual([
    'Local Session Sets (1)/(1):',
    '1 expire at Sat Nov 21 22:48:02 UTC 2026:',
    '\t0xa',
    'Global Sessions(2):',
    '0x1000029e1ee0000\t20000ms',
  ])
})
