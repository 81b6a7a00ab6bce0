import { dumpText } from './dump-text.ts'
import { writeConfiguration, writeDirSizes, writeEnvironment } from './environment-text.ts'
import { writeMonitor } from './monitor.ts'
import type { ServerView } from './server-view.ts'
import { connectionsText, statText, writeServer } from './stat-text.ts'
import { hexOfLong, TextWriter } from './text-writer.ts'
import { watchesByPath, watchesByWatcher, writeWatchSummary } from './watch-text.ts'

/** All of it, or the pieces of a long one, which are made while the member goes on. */
export type WordAnswer = string | Iterable<string>

/** Spec 05 §12, spec 06 §6. Each answer is the whole of what the connection gets; then it closes. */
interface Word {
  readonly answer: (view: ServerView, extra: Buffer) => WordAnswer
  /** What is said while the member looks for a quorum. Undefined: the word is answered as usual. */
  readonly whenNotServing: string | undefined
  /** The reason follows that, where there is one that an operator has to do something about. */
  readonly tellsWhy?: boolean
}

const NOT_SERVING = 'This ZooKeeper instance is not currently serving requests'
/** A line of our own, behind the one that tools look for. */
const STAYING_OUT = 'It stays out: its history is beyond the epoch of the leader'

/** What telnet sends when its user ends it: known so that it is refused as a word, not as a frame. */
const TELNET_CLOSE = 'telnet close'
const TELNET_CLOSE_BYTES = 0xfff4fffd

/** `zkServer.sh status` asks it, so no whitelist takes it away. */
const ALWAYS_ALLOWED = 'srvr'

const MASK_BYTES = 8

const WORDS: ReadonlyMap<string, Word> = new Map([
  ['conf', whenServing(short(writeConfiguration))],
  ['cons', whenServing(long(connectionsText))],
  ['crst', whenServing(short(resetConnections))],
  ['dirs', whenServing(short(writeDirSizes))],
  ['dump', whenServing(long(dumpText))],
  ['envi', always(short(writeEnvironment))],
  ['gtmk', always(short(writeTraceMask))],
  // The original forgets the line feed in this one case.
  ['hash', { answer: short(writeDigestLog), whenNotServing: NOT_SERVING }],
  ['isro', { answer: short(writeIsReadOnly), whenNotServing: 'null' }],
  ['mntr', tellingWhy(short(writeMonitor))],
  ['ruok', always(() => 'imok')],
  ['srst', whenServing(short(resetServer))],
  ['srvr', tellingWhy(short(writeServer))],
  ['stat', tellingWhy(long(statText))],
  ['stmk', always(short(setTraceMask))],
  ['wchc', whenServing(long(watchesByWatcher))],
  ['wchp', whenServing(long(watchesByPath))],
  ['wchs', whenServing(short(writeWatchSummary))],
])

const WORD_BY_FIRST_BYTES: ReadonlyMap<number, string> = new Map([
  ...[...WORDS.keys()].map((word) => [Buffer.from(word).readUInt32BE(), word] as const),
  [TELNET_CLOSE_BYTES, TELNET_CLOSE] as const,
])

/**
 * The word that a connection's first four bytes spell, if any. As the length of a first frame they
 * would be far too large or negative, so nothing else can be meant.
 * @param first4 big-endian, signed or not
 */
export function fourLetterWordOf(first4: number): string | undefined {
  return WORD_BY_FIRST_BYTES.get(first4 >>> 0)
}

/** How many bytes after a word that is not refused belong to it. All that follows them is ignored. */
export function fourLetterWordExtraBytes(word: string, whitelist: Whitelist): number {
  return word === 'stmk' && isAllowed(word, whitelist) ? MASK_BYTES : 0
}

/** Of 4lw.commands.whitelist; '*' allows every word. */
type Whitelist = ReadonlySet<string> | '*'

function isAllowed(word: string, whitelist: Whitelist): boolean {
  return whitelist === '*' || word === ALWAYS_ALLOWED || whitelist.has(word)
}

/**
 * The text to send before the connection is closed, which may be empty. Resets and `stmk` act on
 * `view`.
 * @param word one that fourLetterWordOf returned
 * @param extra the bytes after the word, fourLetterWordExtraBytes of them or more
 */
export function runFourLetterWord(
  word: string,
  view: ServerView,
  whitelist: Whitelist,
  extra: Buffer,
): WordAnswer {
  if (!isAllowed(word, whitelist))
    return `${word} is not executed because it is not in the whitelist.\n`
  const entry = WORDS.get(word)
  if (entry === undefined) return ''
  if (!view.isServing && entry.whenNotServing !== undefined)
    return entry.tellsWhy === true && view.quorum?.isStayingOut === true
      ? `${entry.whenNotServing}${STAYING_OUT}\n`
      : entry.whenNotServing
  return entry.answer(view, extra)
}

function whenServing(answer: Word['answer']): Word {
  return { answer, whenNotServing: `${NOT_SERVING}\n` }
}

function tellingWhy(answer: Word['answer']): Word {
  return { ...whenServing(answer), tellsWhy: true }
}

function always(answer: Word['answer']): Word {
  return { answer, whenNotServing: undefined }
}

type Writer = (view: ServerView, out: TextWriter, extra: Buffer) => void

function short(write: Writer): Word['answer'] {
  return (view, extra) => {
    const out = new TextWriter()
    write(view, out, extra)
    return out.text
  }
}

/** What grows with the number of clients, sessions or watches. */
function long(pieces: (view: ServerView) => Iterable<string>): Word['answer'] {
  return (view) => pieces(view)
}

function writeDigestLog(view: ServerView, out: TextWriter): void {
  for (const { zxid, digest } of view.digestLog) {
    out.line(`${hexOfLong(zxid)}: ${BigInt.asIntN(64, digest)}`)
  }
}

function writeIsReadOnly(view: ServerView, out: TextWriter): void {
  out.add(view.mode === 'read-only' ? 'ro' : 'rw')
}

function resetConnections(view: ServerView, out: TextWriter): void {
  for (const cnxn of view.cnxns) cnxn.stats.reset()
  out.line('Connection stats reset.')
}

function resetServer(view: ServerView, out: TextWriter): void {
  view.stats.reset()
  view.metrics.registry.reset()
  view.quorum?.leader?.proposalSizes.reset()
  out.line('Server stats reset.')
}

function writeTraceMask(view: ServerView, out: TextWriter): void {
  out.add(String(view.traceMask))
}

/** Without its eight bytes the word does nothing. */
function setTraceMask(view: ServerView, out: TextWriter, extra: Buffer): void {
  if (extra.length < MASK_BYTES) return
  view.traceMask = extra.readBigInt64BE(0)
  writeTraceMask(view, out)
}
