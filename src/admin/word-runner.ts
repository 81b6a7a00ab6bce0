import type { Config } from '../config/config.ts'
import type { FourLetterWords } from '../server/clients/first-bytes.ts'
import {
  fourLetterWordExtraBytes,
  fourLetterWordOf,
  runFourLetterWord,
  type WordAnswer,
} from './four-letter-words.ts'
import type { ServerView } from './server-view.ts'

/** Answers the words that a member meets on its client port, once it is told what to look at. */
export class WordRunner implements FourLetterWords {
  readonly silenceMsMax: number
  readonly #whitelist: ReadonlySet<string> | '*'
  #view: ServerView | undefined

  constructor(config: Config) {
    this.#whitelist = config.fourLetterWords
    this.silenceMsMax = config.sessionlessCnxnTimeoutMs
  }

  attach(view: ServerView): void {
    this.#view = view
  }

  wordOf(first4: number): string | undefined {
    return fourLetterWordOf(first4)
  }

  extraBytes(word: string): number {
    return fourLetterWordExtraBytes(word, this.#whitelist)
  }

  run(word: string, extra: Buffer): WordAnswer {
    if (this.#view === undefined) return ''
    return runFourLetterWord(word, this.#view, this.#whitelist, extra)
  }
}
