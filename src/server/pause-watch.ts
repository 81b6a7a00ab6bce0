/**
 * The shell calls in at least every 50 ms. If it has not for so long, the process has stood still: a
 * long turn, a machine that swaps or is suspended. What it missed is given back to sessions.
 */
export const PAUSE_MS_MIN = 500
/** A gap of so much is none to make up for, but others may have said something in it. */
export const GAP_MS_MIN = 100
/**
 * How long a process all of whose turns are long may put off to judge whether its peers are silent.
 * @bound milliseconds: peers are judged all the same
 */
export const DEFERRAL_MS_MAX = 1000
/**
 * The first turn may have begun before the gap: only what is readable when the second one begins
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
  /** When all had last been read, and anybody could be judged. */
  #judgedMono = 0
  #unreadTurns = 0

  /** How long the process has stood still, in milliseconds; 0: for no time worth making up for. */
  onTime(nowMono: number): number {
    const gapMs = nowMono - (this.#lastMono ?? nowMono)
    this.#lastMono = nowMono
    const isPause = gapMs >= PAUSE_MS_MIN
    const mayDefer = nowMono - this.#judgedMono < DEFERRAL_MS_MAX
    if (isPause || (gapMs >= GAP_MS_MIN && mayDefer)) this.#unreadTurns = TURNS_TO_READ
    else if (this.isInputRead) this.#judgedMono = nowMono
    return isPause ? gapMs : 0
  }

  onTurnEnd(): void {
    if (this.#unreadTurns > 0) this.#unreadTurns -= 1
  }

  /** All that has arrived during the last gap has been read. */
  get isInputRead(): boolean {
    return this.#unreadTurns === 0
  }
}
