/** A test of one file has the name of that file, alone or with a dash and what part of it is tested. */
const STORY = 'story-'

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/(?:\.test)?\.ts$/, '')
}

/**
 * What stands below test/unit and mirrors no room of src/: its folder has to be one of `src`, and its name
 * that of a file there. What several files do together is a story, in the room that has the most to do
 * with it.
 */
export function strayTests(tests: readonly string[], sources: readonly string[]): string[] {
  return tests.flatMap((path) => {
    if (!path.endsWith('.test.ts')) return [`${path}: what tests share belongs to test/support`]
    const room = path.slice('test/unit/'.length, path.lastIndexOf('/') + 1)
    const name = nameOf(path)
    const files = sources.filter((file) => `src/${room}${nameOf(file)}.ts` === file).map(nameOf)
    if (files.length === 0) return [`${path}: there is no src/${room}`]
    const isOfFile = files.some((file) => name === file || name.startsWith(`${file}-`))
    return isOfFile || name.startsWith(STORY)
      ? []
      : [`${path}: src/${room} has no file of its name, and it is called no story`]
  })
}

/** Files of test/support that its README does not name: nobody would find them, and make a second one. */
export function unnamedFixtures(paths: readonly string[], readme: string): string[] {
  return paths
    .filter((path) => !path.endsWith('.test.ts'))
    .filter((path) => !readme.includes(`\`${path.slice('test/support/'.length)}\``))
    .map((path) => `${path}: test/support/README.md does not say what it is for`)
}
