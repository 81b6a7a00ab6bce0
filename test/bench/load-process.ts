import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { LoadAnswer, LoadOrder, LoadResult } from './shapes.ts'

/** The runner's end of the load generator: one order at a time. */
export class LoadProcess {
  readonly #child: ChildProcess

  constructor() {
    this.#child = fork(fileURLToPath(new URL('./load.ts', import.meta.url)))
  }

  /** Rejects when the generator failed or died; a `prepare` order has no result. */
  order(order: LoadOrder): Promise<LoadResult | undefined> {
    return new Promise((resolve, reject) => {
      const onExit = (): void => reject(new Error('the load generator died'))
      this.#child.once('exit', onExit)
      this.#child.once('message', (answer: LoadAnswer) => {
        this.#child.removeListener('exit', onExit)
        if (answer.kind === 'done') resolve(answer.result)
        else reject(new Error(answer.reason))
      })
      this.#child.send(order)
    })
  }

  stop(): void {
    this.#child.disconnect()
  }
}
