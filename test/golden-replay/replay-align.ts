/** One difference between a recorded conversation and ours. */
export interface Difference {
  /**
   * `connection:n` for the n-th frame that the recorded server sent on it, `connection:n+k` for the
   * k-th frame more that ours sends before it, `connection:end` for who closed it.
   */
  readonly at: string
  /** Undefined: nothing was recorded where ours sends something. */
  readonly recorded: string | undefined
  readonly ours: string | undefined
}

interface Aligned {
  readonly differences: readonly Difference[]
  readonly equal: number
}

/**
 * Where two conversations differ, with as much as possible of them equal: a frame more or less moves
 * those behind it and is no difference of theirs.
 */
export function align(recorded: readonly string[], ours: readonly string[]): Aligned {
  const common = commonTable(recorded, ours)
  const differences: Difference[] = []
  let equal = 0
  let gapRecorded: number[] = []
  let gapOurs: number[] = []
  const closeGap = (next: number): void => {
    let extra = 0
    for (let k = 0; k < Math.max(gapRecorded.length, gapOurs.length); k += 1) {
      const at = gapRecorded[k]
      const there = gapOurs[k]
      if (at === undefined) extra += 1
      differences.push({
        at: at === undefined ? `${next}+${extra}` : `${at}`,
        recorded: at === undefined ? undefined : recorded[at],
        ours: there === undefined ? undefined : ours[there],
      })
    }
    gapRecorded = []
    gapOurs = []
  }
  let i = 0
  let j = 0
  while (i < recorded.length || j < ours.length) {
    if (i < recorded.length && j < ours.length && recorded[i] === ours[j]) {
      closeGap(i)
      equal += 1
      i += 1
      j += 1
    } else if (j >= ours.length || (i < recorded.length && common(i + 1, j) >= common(i, j + 1))) {
      gapRecorded.push(i)
      i += 1
    } else {
      gapOurs.push(j)
      j += 1
    }
  }
  closeGap(recorded.length)
  return { differences, equal }
}

/** How many equal frames the rests from (i, j) on have in common, in order. */
function commonTable(
  left: readonly string[],
  right: readonly string[],
): (i: number, j: number) => number {
  const width = right.length + 1
  const table = new Array<number>((left.length + 1) * width).fill(0)
  const at = (i: number, j: number): number => table[i * width + j] ?? 0
  for (let i = left.length - 1; i >= 0; i -= 1)
    for (let j = right.length - 1; j >= 0; j -= 1)
      table[i * width + j] =
        left[i] === right[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  return at
}
