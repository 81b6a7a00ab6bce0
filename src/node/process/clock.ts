/** Whole milliseconds: latencies are shown and deadlines kept in them. */
export function readClock(): { readonly mono: number; readonly wall: number } {
  return { mono: Math.floor(performance.now()), wall: Date.now() }
}

/** For what happens within a turn, in which the clock above stands still. */
export const stopwatch = (): number => performance.now()

/** For what the shell times by itself. */
export const monotonic: { readonly mono: number } = {
  get mono() {
    return performance.now()
  },
}
