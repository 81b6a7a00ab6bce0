import { honouredText, refusedText, withoutEffectText } from './keys.ts'
import { limitsText } from './limits.ts'
import { absentMetricsText, metricsText } from './metrics.ts'

/** A part of a document that is made from the code. It stands between two comments that name it. */
export interface Section {
  readonly file: string
  readonly marker: string
  readonly make: () => string
}

/** All of them: `npm run generate` writes them, and test/references.test.ts compares. */
export const sections: readonly Section[] = [
  { file: 'docs/limits.md', marker: 'limits', make: limitsText },
  { file: 'docs/metrics.md', marker: 'metrics', make: metricsText },
  { file: 'docs/metrics.md', marker: 'absent metrics', make: absentMetricsText },
  { file: 'docs/operations.md', marker: 'honoured keys', make: honouredText },
  { file: 'docs/operations.md', marker: 'refused keys', make: refusedText },
  { file: 'docs/operations.md', marker: 'keys without effect', make: withoutEffectText },
]

/** The document with what its section has to hold now; undefined if it has no such section. */
export function withSection(text: string, { marker, make }: Section): string | undefined {
  const begin = `<!-- made by npm run generate: ${marker} -->\n`
  const end = `<!-- end of ${marker} -->\n`
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) return undefined
  return `${text.slice(0, from)}${begin}\n${make().trim()}\n\n${text.slice(to)}`
}
