import type { Limits } from '../../base/limits.ts'
import type { Logger } from '../../base/logger.ts'
import type { ThrottledLog } from '../../base/throttled-log.ts'
import type { TurnClock } from '../../base/turn-clock.ts'
import type { ServerMetrics } from '../stats/server-metrics.ts'
import type { ServerStats } from '../stats/server-stats.ts'
import type { Cnxn } from './cnxn.ts'
import type { Connections } from './connections.ts'
import type { Outbox } from './outbox.ts'
import type { WordAnswers } from './word-answers.ts'

const WORD_BYTES = 4

/** Port: the four-letter words, whose texts are the business of src/admin. */
export interface FourLetterWords {
  /** The word that the first four bytes of a connection spell, as a big-endian int. */
  wordOf(first4: number): string | undefined
  /** Bytes after the word that belong to it; none if it will be refused. */
  extraBytes(word: string): number
  /** The answer, or the pieces of a long one; an empty piece stands for work that was done. */
  run(word: string, extra: Buffer): string | Iterable<string>
  /** ms a connection may stay without a connect request. */
  readonly silenceMsMax: number
}

interface FirstBytesParts {
  readonly connections: Connections
  readonly words: FourLetterWords
  readonly wordAnswers: WordAnswers
  readonly outbox: Outbox
  readonly limits: Limits
  readonly clock: TurnClock
  readonly stats: ServerStats
  readonly metrics: ServerMetrics
  readonly logger: Logger
  readonly throttledLog: ThrottledLog
}

/**
 * A connection until its session: is it let in at all, does it begin with a four-letter word or with
 * the length of a connect request (spec 05 §12), and does it say anything in time.
 */
export class FirstBytes {
  readonly #parts: FirstBytesParts
  readonly #connections: Connections
  readonly #words: FourLetterWords
  /** In the order of opening, so that the first is the next to be too late. */
  readonly #sessionless = new Set<Cnxn>()

  constructor(parts: FirstBytesParts) {
    this.#parts = parts
    this.#connections = parts.connections
    this.#words = parts.words
  }

  onOpened(cnxn: Cnxn): void {
    const { limits, throttledLog, metrics } = this.#parts
    this.#connections.add(cnxn)
    const { total } = this.#connections.counts
    const ofAddress = this.#connections.counts.ofAddress(cnxn.address)
    const tooMany = limits.cnxnsMax > 0 && total > limits.cnxnsMax
    const tooManyOfOne = limits.cnxnsPerAddressMax > 0 && ofAddress > limits.cnxnsPerAddressMax
    if (tooMany || tooManyOfOne) {
      throttledLog.warn('too many connections, refusing one', {
        address: cnxn.address,
        limit: tooMany ? 'maxCnxns' : 'maxClientCnxns',
        max: tooMany ? limits.cnxnsMax : limits.cnxnsPerAddressMax,
      })
      metrics.connectionRejected.add(1)
      return this.#connections.close(cnxn, true)
    }
    this.#sessionless.add(cnxn)
  }

  onBytes(cnxn: Cnxn, bytes: Buffer): void {
    cnxn.head = cnxn.head.length === 0 ? bytes : Buffer.concat([cnxn.head, bytes])
    if (cnxn.head.length < WORD_BYTES) return this.#keepHead(cnxn)
    const word = this.#words.wordOf(cnxn.head.readInt32BE(0))
    if (word !== undefined) return this.#onWord(cnxn, word)
    cnxn.state = 'handshake'
    cnxn.splitter.push(cnxn.head)
    cnxn.head = NO_BYTES
  }

  #onWord(cnxn: Cnxn, word: string): void {
    const end = WORD_BYTES + this.#words.extraBytes(word)
    if (cnxn.head.length < end) return this.#keepHead(cnxn)
    this.#parts.stats.packetsReceived += 1
    cnxn.stats.packetsReceived += 1
    this.#parts.logger.debug('four-letter word', { word, address: cnxn.address, port: cnxn.port })
    const answer = this.#words.run(word, cnxn.head.subarray(WORD_BYTES, end))
    cnxn.head = NO_BYTES
    this.#parts.stats.packetsSent += 1
    if (typeof answer !== 'string') return this.#parts.wordAnswers.begin(cnxn, answer)
    this.#parts.outbox.begin(cnxn).writeBytes(Buffer.from(answer))
    this.#connections.close(cnxn)
  }

  /** The chunk is borrowed, so what must wait for more is copied. */
  #keepHead(cnxn: Cnxn): void {
    cnxn.head = Buffer.from(cnxn.head)
  }

  /** Ends connections that have not asked for a session in time (nio.sessionlessCnxnTimeout). */
  closeSilent(): void {
    const latest = this.#parts.clock.mono - this.#words.silenceMsMax
    for (const cnxn of this.#sessionless) {
      const isSilent = cnxn.state === 'fresh' || cnxn.state === 'handshake'
      if (isSilent && cnxn.openedMono > latest) return
      this.#sessionless.delete(cnxn)
      if (!isSilent) continue
      this.#parts.metrics.sessionlessConnectionsExpired.add(1)
      this.#connections.refuse(cnxn, 'no connect request in time')
    }
  }
}

const NO_BYTES: Buffer = Buffer.alloc(0)
