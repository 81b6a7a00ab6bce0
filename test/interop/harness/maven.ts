import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './process.ts'
import { cacheDirectory } from './repository.ts'

/** The releases of the field that the proofs use; the newest of their lines when written. */
export const versions = {
  zookeeper34: '3.4.6',
  // The newest 3.9 of which Maven Central has all files: 3.9.6 lacks its parent POM there.
  zookeeper39: '3.9.5',
} as const

/**
 * ZooKeeper 3.9 with everything that its server and its zkCli need to run: it leaves some of that
 * to whoever packs it (scope `provided`).
 */
export const zookeeper39Coords: readonly string[] = [
  `org.apache.zookeeper:zookeeper:${versions.zookeeper39}`,
  'commons-cli:commons-cli:1.5.0',
  'org.jline:jline:3.25.1',
  'org.slf4j:slf4j-simple:2.0.13',
  'io.dropwizard.metrics:metrics-core:4.1.12.1',
  'org.xerial.snappy:snappy-java:1.1.10.5',
]

const MAVEN_MS = 600_000
const ATTEMPTS_MAX = 3

/**
 * Resolves `group:artifact:version` coordinates with all they need at run time and returns a class
 * path. The answer is kept in `.cache/maven`; Maven runs again when one of the jars is gone.
 */
export async function mavenClasspath(coords: readonly string[]): Promise<string> {
  const key = createHash('sha256').update(coords.join('\n')).digest('hex').slice(0, 16)
  const directory = join(cacheDirectory, 'maven', key)
  const answer = join(directory, 'classpath.txt')
  if (existsSync(answer)) {
    const classpath = readFileSync(answer, 'utf8').trim()
    if (classpath.split(':').every((jar) => existsSync(jar))) return classpath
  }
  // Two test runs may ask at once: each works apart, and the rename decides.
  const work = join(directory, String(process.pid))
  mkdirSync(work, { recursive: true })
  writeFileSync(join(work, 'pom.xml'), pom(coords))
  const output = join(work, 'classpath.txt')
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:build-classpath'
  const args = ['-B', '-q', '-f', join(work, 'pom.xml'), goal, `-Dmdep.outputFile=${output}`]
  for (let attempt = 1; ; attempt += 1) {
    // Maven remembers a failed download for a day unless it is told to look again.
    const again = attempt === 1 ? [] : ['-U']
    const result = await run('mvn', [...args, ...again], { timeoutMs: MAVEN_MS })
    if (result.code === 0) break
    const printed = `${result.stdout}${result.stderr}`
    if (attempt === ATTEMPTS_MAX) {
      throw new Error(`Maven could not resolve ${coords.join(' ')}\n${printed}`)
    }
  }
  renameSync(output, answer)
  return readFileSync(answer, 'utf8').trim()
}

function pom(coords: readonly string[]): string {
  const dependencies = coords.map((coord) => {
    const [group, artifact, version] = coord.split(':')
    return [
      '    <dependency>',
      `      <groupId>${group}</groupId>`,
      `      <artifactId>${artifact}</artifactId>`,
      `      <version>${version}</version>`,
      '    </dependency>',
    ].join('\n')
  })
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>interop</groupId>
  <artifactId>interop</artifactId>
  <version>1</version>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
</project>
`
}
