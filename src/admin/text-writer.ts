import { TEXT_CHARS_MAX } from '../base/limits.ts'

/** Collects the lines of a four-letter word's answer, up to a limit. */
export class TextWriter {
  readonly #charsMax: number
  #text = ''
  #isCut = false

  constructor(charsMax: number = TEXT_CHARS_MAX) {
    this.#charsMax = charsMax
  }

  line(text: string): void {
    this.add(text)
    this.add('\n')
  }

  /** Without a line feed. Nothing is added any more once the limit is reached. */
  add(text: string): void {
    if (this.#isCut) return
    if (this.#text.length + text.length > this.#charsMax) this.#isCut = true
    else this.#text += text
  }

  /** All of it; the last line says so if there was more. */
  get text(): string {
    return this.#isCut ? `${this.#text}\n(cut at ${this.#charsMax} characters)\n` : this.#text
  }
}

/** As Java prints a long in hexadecimal: -1 is sixteen f's, and there is no 0x. */
export function hexOfLong(value: number | bigint): string {
  return BigInt.asUintN(64, BigInt(value)).toString(16)
}
