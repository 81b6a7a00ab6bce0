import { expect, it } from 'vitest'
import { cutFields, LOG_FIELD_CHARS_MAX } from '../../../src/base/logger.ts'

it('cuts what is longer than a field may be, and nothing else', () => {
  const fitting = { n: 1, yes: true, none: undefined, text: 'x'.repeat(LOG_FIELD_CHARS_MAX) }
  expect(cutFields(fitting)).toBe(fitting)
  const scheme = 'x'.repeat(LOG_FIELD_CHARS_MAX + 1)
  expect(cutFields({ ...fitting, scheme })).toEqual({
    ...fitting,
    scheme: `${'x'.repeat(LOG_FIELD_CHARS_MAX)}... (${scheme.length} characters)`,
  })
})
