/** Whole milliseconds: latencies are shown and deadlines kept in them. */
export function readClock(): { readonly mono: number; readonly wall: number } {
  return { mono: Math.floor(performance.now()), wall: Date.now() }
}
