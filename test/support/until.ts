const POLL_MS = 40

/** Asks again and again until there is an answer; after `timeoutMs` rejects, naming `what`. */
export async function until<T>(
  what: string | (() => string),
  timeoutMs: number,
  ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > deadline) {
      const name = typeof what === 'string' ? what : what()
      throw new Error(`${name}: not within ${timeoutMs} ms`)
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
