import { describe, expect, test } from 'vitest'
import { ENVIRONMENT_KEYS } from '../../../src/admin/environment-text.ts'
import {
  fourLetterWordExtraBytes,
  fourLetterWordOf,
  runFourLetterWord,
} from '../../../src/admin/four-letter-words.ts'
import type { ServerView } from '../../../src/admin/server-view.ts'
import {
  golden,
  makeCnxn,
  makeServerStats,
  makeStats,
  makeView,
} from '../../support/view-fixture.ts'

const NO_EXTRA = Buffer.alloc(0)
const WORDS = [
  ...['ruok', 'srvr', 'stat', 'conf', 'isro', 'mntr', 'envi', 'cons', 'dump', 'wchs', 'wchc'],
  ...['wchp', 'dirs', 'crst', 'srst', 'hash', 'gtmk', 'stmk'],
]

function ask(word: string, view: ServerView, extra: Buffer = NO_EXTRA): string {
  return [...runFourLetterWord(word, view, '*', extra)].join('')
}

const SESSION_0 = 0x1000015f6600000n
const SESSION_1 = 0x1000015f6600001n

/** The recorded server with two sessions, two watches and two ephemeral znodes. */
function busyView(asking: number): ServerView {
  const first = makeCnxn({
    port: 54596,
    sessionId: SESSION_0,
    sessionTimeoutMs: 30000,
    establishedWall: 1795301274186,
    stats: makeStats({
      received: 8,
      sent: 149,
      lastOp: 'SYNC',
      cxid: 7,
      zxid: 0x93,
      lastResponseMono: 1439642,
      latenciesMs: [7, 4, 0, 0],
    }),
  })
  const second = makeCnxn({
    port: 54600,
    sessionId: SESSION_1,
    sessionTimeoutMs: 40000,
    establishedWall: 1795301274195,
    stats: makeStats({
      received: 146,
      sent: 147,
      lastOp: 'SETD',
      cxid: 0x91,
      zxid: 0x93,
      lastResponseMono: 1439640,
      latenciesMs: [0, 0, 0, 4, 0, 0, 1],
    }),
  })
  return makeView({
    cnxns: [second, makeCnxn({ port: asking }), first],
    cnxnCount: 3,
    stats: makeServerStats({
      ...{ received: 170, sent: 312, minMs: 0, maxMs: 7, count: 154, sumMs: 143 },
    }),
    lastProcessedZxid: 0x93,
    nodeCount: 9,
    dataWatches: {
      watcherCount: 2,
      pathCount: 2,
      watchCount: 2,
      byPath: () => [
        ['/app', [first]],
        ['/of-one-that-has-gone', []],
        ['/nope', [second]],
      ],
      byWatcher: () => [
        [second, ['/nope']],
        [first, ['/app']],
      ],
    },
  })
}

describe('the word in the first four bytes', () => {
  test('is found whether the number is signed or not', () => {
    for (const word of WORDS) {
      expect(fourLetterWordOf(Buffer.from(word).readInt32BE())).toBe(word)
    }
    expect(fourLetterWordOf(0xfff4fffd)).toBe('telnet close')
    expect(fourLetterWordOf(0xfff4fffd | 0)).toBe('telnet close')
  })

  test('is none in a frame length and in unknown words', () => {
    expect(fourLetterWordOf(0)).toBeUndefined()
    expect(fourLetterWordOf(44)).toBeUndefined()
    expect(fourLetterWordOf(-1)).toBeUndefined()
    expect(fourLetterWordOf(Buffer.from('RUOK').readInt32BE())).toBeUndefined()
    expect(fourLetterWordOf(Buffer.from('zzzz').readInt32BE())).toBeUndefined()
  })

  test('has bytes of its own after it only in stmk', () => {
    expect(WORDS.filter((word) => fourLetterWordExtraBytes(word, '*') !== 0)).toEqual(['stmk'])
    expect(fourLetterWordExtraBytes('stmk', new Set(['stmk']))).toBe(8)
  })

  test('has none where it is refused, since nobody waits for them', () => {
    expect(fourLetterWordExtraBytes('stmk', new Set(['srvr']))).toBe(0)
  })
})

describe('the whitelist', () => {
  test.each(['conf', 'envi', 'mntr', 'ruok', 'stat'])('refuses %s by default', (word) => {
    const refusal = runFourLetterWord(word, makeView(), new Set(['srvr']), NO_EXTRA)
    expect(refusal).toBe(golden(`default-whitelist-${word}`))
  })

  test('never refuses srvr', () => {
    const view = makeView({
      stats: makeServerStats({ received: 5, sent: 4, minMs: 0, maxMs: 0, count: 0, sumMs: 0 }),
      lastProcessedZxid: 0x95,
      nodeCount: 7,
    })
    expect(runFourLetterWord('srvr', view, new Set(), NO_EXTRA)).toBe(
      golden('default-whitelist-srvr'),
    )
  })

  test('lets through what it names and nothing else', () => {
    const whitelist = new Set(['ruok', 'gtmk'])
    for (const word of WORDS) {
      const answer = runFourLetterWord(word, makeView(), whitelist, NO_EXTRA)
      const isRefused = [...answer].join('').endsWith('because it is not in the whitelist.\n')
      expect([word, isRefused]).toEqual([word, !['ruok', 'gtmk', 'srvr'].includes(word)])
    }
  })

  test('refused words change nothing', () => {
    const view = busyView(1)
    for (const word of ['crst', 'srst', 'stmk']) {
      runFourLetterWord(word, view, new Set(), Buffer.alloc(8, 1))
    }
    expect(view.stats.packetsReceived).toBe(170)
    expect(view.traceMask).toBe(306n)
  })

  test('the end of a telnet session gets the refusal, or with * nothing', () => {
    expect(runFourLetterWord('telnet close', makeView(), new Set(), NO_EXTRA)).toBe(
      'telnet close is not executed because it is not in the whitelist.\n',
    )
    expect(ask('telnet close', makeView())).toBe('')
  })
})

describe('while the member looks for a quorum', () => {
  const view = makeView({ isServing: false })
  test.each(['isro', 'mntr', 'ruok', 'srvr', 'stat'])('%s', (word) => {
    expect(ask(word, view)).toBe(golden(`noquorum-${word}`))
  })

  test('envi, gtmk and stmk are answered, and the rest is not', () => {
    const answered = WORDS.filter((word) => !ask(word, view).includes('not currently serving'))
    expect(answered).toEqual(['ruok', 'isro', 'envi', 'gtmk', 'stmk'])
    expect(ask('hash', view)).toBe('This ZooKeeper instance is not currently serving requests')
  })

  test('nothing is reset', () => {
    const looking = { ...busyView(1), isServing: false }
    ask('srst', looking)
    ask('crst', looking)
    expect(looking.stats.packetsReceived).toBe(170)
    expect([...looking.cnxns].map((cnxn) => cnxn.stats.packetsReceived)).toEqual([146, 1, 8])
  })
})

describe('short answers', () => {
  test.each([
    ['ruok', 'ruok'],
    ['ruok', 'ruok-with-newline'],
    ['isro', 'isro'],
    ['conf', 'conf'],
    ['dirs', 'dirs'],
    ['gtmk', 'gtmk'],
    ['crst', 'crst'],
    ['srst', 'srst'],
    ['cons', 'empty-cons'],
    ['wchs', 'empty-wchs'],
    ['wchc', 'empty-wchc'],
    ['wchp', 'empty-wchp'],
  ])('%s as in %s', (word, name) => {
    const view = makeView({ cnxns: [makeCnxn({ port: 54588 })] })
    // A line feed after the word, as `echo ruok | nc` sends, is no part of it.
    expect(ask(word, view, Buffer.from('\n'))).toBe(golden(name))
  })

  test('hash', () => {
    const view = makeView({ digestLog: [{ zxid: 0x80, digest: 13525304147n }] })
    expect(ask('hash', view)).toBe(golden('hash'))
  })

  test('hash prints digests as signed numbers', () => {
    const view = makeView({ digestLog: [{ zxid: 2 ** 32 + 10, digest: 2n ** 64n - 1n }] })
    expect(ask('hash', view)).toBe('10000000a: -1\n')
  })

  test('isro on a read-only server', () => {
    expect(ask('isro', makeView({ mode: 'read-only' }))).toBe(golden('readonly-isro'))
  })

  test('stmk takes its eight bytes', () => {
    const view = makeView({ traceMask: 0n })
    expect(ask('stmk', view, Buffer.from('0000000000000132', 'hex'))).toBe(golden('stmk'))
    expect(ask('gtmk', view)).toBe('306')
    expect(ask('stmk', view, Buffer.alloc(9, 0xff))).toBe('-1')
    expect(view.traceMask).toBe(-1n)
  })

  test('stmk without them changes nothing', () => {
    const view = makeView()
    expect(ask('stmk', view, Buffer.alloc(7))).toBe('')
    expect(view.traceMask).toBe(306n)
  })

  test('envi', () => {
    const environment = new Map(ENVIRONMENT_KEYS.map((key) => [key, '<REDACTED>']))
    const { host } = makeView()
    expect(ask('envi', makeView({ host: { ...host, environment } }))).toBe(golden('envi'))
    expect(ask('envi', makeView())).toContain('\njava.home=<NA>\n')
  })
})

describe('srvr, stat, cons and the watches', () => {
  test('of an empty server', () => {
    const stats = (received: number, sent: number) =>
      makeServerStats({ received, sent, minMs: 0, maxMs: 0, count: 0, sumMs: 0 })
    expect(ask('srvr', makeView({ stats: stats(3, 2) }))).toBe(golden('empty-srvr'))
    const cnxns = [makeCnxn({ port: 54542 })]
    expect(ask('stat', makeView({ stats: stats(2, 1), cnxns }))).toBe(golden('empty-stat'))
  })

  test('of a busy server', () => {
    expect(ask('stat', busyView(54666))).toBe(golden('stat'))
    expect(ask('cons', busyView(54620))).toBe(golden('cons'))
    expect(ask('wchs', busyView(1))).toBe(golden('wchs'))
    expect(ask('wchc', busyView(1))).toBe(golden('wchc'))
    expect(ask('wchp', busyView(1))).toBe(golden('wchp'))
    const srvr = busyView(1)
    srvr.stats.packetsReceived -= 1
    srvr.stats.packetsSent -= 1
    expect(ask('srvr', srvr)).toBe(golden('srvr'))
  })

  test('after srst and crst', () => {
    const view = busyView(54752)
    view.metrics.bytesReceivedCount.add(5)
    expect(ask('srst', view)).toBe('Server stats reset.\n')
    expect(view.metrics.bytesReceivedCount.value).toBe(0)
    view.stats.packetsReceived = 2
    view.stats.packetsSent = 2
    const alone = { ...view, cnxnCount: 1, lastProcessedZxid: 0x95, nodeCount: 7 }
    const cnxns = [...view.cnxns].filter((cnxn) => cnxn.sessionId === 0n)
    expect(ask('stat', { ...alone, cnxns })).toBe(golden('stat-after-reset'))
    expect(ask('crst', view)).toBe('Connection stats reset.\n')
    expect(ask('cons', view).split('\n')[0]).toBe(
      ' /127.0.0.1:54600[1](queued=0,recved=0,sent=0,sid=0x1000015f6600001,lop=NA,' +
        'est=1795301274195,to=40000,lzxid=0xffffffffffffffff,lresp=0,llat=0,' +
        'minlat=0,avglat=0,maxlat=0)',
    )
  })

  test('of a read-only server', () => {
    const view = makeView({
      mode: 'read-only',
      stats: makeServerStats({ received: 1, sent: 0, minMs: 0, maxMs: 0, count: 0, sumMs: 0 }),
      lastProcessedZxid: 2 ** 32 + 4,
      nodeCount: 7,
    })
    expect(ask('srvr', view)).toBe(golden('readonly-srvr'))
  })
})
