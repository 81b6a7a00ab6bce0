/**
 * The shell calls in at least every 50 ms. If it has not for so long, the process has stood still: a
 * long turn, a machine that swaps or is suspended.
 */
export const PAUSE_MS_MIN = 500
/**
 * The first turn may have begun before the pause: only what is readable when the second one begins
 * was looked for after it.
 */
const TURNS_TO_READ = 2

/**
 * Notices pauses of this very process. What others have sent meanwhile lies in the sockets, so nobody
 * may be called silent before that has been read.
 */
export class PauseWatch {
  /** Undefined before the first turn: until then there was nobody to hear. */
  #lastMono: number | undefined = undefined
  #unreadTurns = 0

  /** How long the process has stood still, in milliseconds; 0: it has not. */
  onTime(nowMono: number): number {
    const passedMs = nowMono - (this.#lastMono ?? nowMono)
    this.#lastMono = nowMono
    if (passedMs < PAUSE_MS_MIN) return 0
    this.#unreadTurns = TURNS_TO_READ
    return passedMs
  }

  onTurnEnd(): void {
    if (this.#unreadTurns > 0) this.#unreadTurns -= 1
  }

  /** All that has arrived during the last pause has been read. */
  get isInputRead(): boolean {
    return this.#unreadTurns === 0
  }
}
