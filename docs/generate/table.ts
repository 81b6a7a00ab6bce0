/** A table of Markdown; bars in cells are escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (text: string): string => (text === '' ? '|' : `| ${text.replaceAll('|', '\\|')} `)
  const line = (cells: readonly string[]): string =>
    `${cells.map(cell).join(' ')}|`.replaceAll('  |', ' |')
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
