import { setFlagsFromString } from 'node:v8'

/**
 * Lets V8 put more of the functions that a request comes by into one, so that they can stay small in
 * the source: a set takes a seventh less of the processor (docs/decisions/007-inlining.md). To be called
 * before these functions are compiled; an engine that does not know a flag ignores it.
 */
export function inlineMore(): void {
  setFlagsFromString('--max-inlined-bytecode-size=1000')
  setFlagsFromString('--max-inlined-bytecode-size-cumulative=4000')
}
