/** A log line: a level, a fixed message that can be searched for, and fields that vary. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>

/** Port: src/node hands in pino, tests hand in an array. Pure code never formats a log line. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

/**
 * Characters of one field of a log line. What a stranger has said may be in it.
 * @bound characters: the field is cut
 */
export const LOG_FIELD_CHARS_MAX = 2048

/** The same fields, none of them too long. */
export function cutFields(fields: LogFields): LogFields {
  let cut: Record<string, LogFields[string]> | undefined
  for (const key in fields) {
    const value = fields[key]
    if (typeof value !== 'string' || value.length <= LOG_FIELD_CHARS_MAX) continue
    cut ??= { ...fields }
    cut[key] = `${value.slice(0, LOG_FIELD_CHARS_MAX)}... (${value.length} characters)`
  }
  return cut ?? fields
}
