import { readFileSync, writeFileSync } from 'node:fs'
import { sections, withSection } from './sections.ts'

// Writes the sections of documents that are made from the code: npm run generate.
for (const section of sections) {
  const text = withSection(readFileSync(section.file, 'utf8'), section)
  if (text === undefined) throw new Error(`${section.file} has no section ${section.marker}`)
  writeFileSync(section.file, text)
}
