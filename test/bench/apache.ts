import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

/** The original: what to run, and how to name it in the tables. */
export interface Apache {
  readonly classPath: string
  readonly version: string
}

const debianJar = '/usr/share/java/zookeeper.jar'
const debianConf = '/etc/zookeeper/conf'

/** `3.8.0` of `zookeeper-3.8.0.jar`. */
const versionOf = (jar: string): string => /zookeeper-(\d[^/]*)\.jar$/.exec(jar)?.[1] ?? 'unknown'

/**
 * Finds Apache ZooKeeper. `wanted` is `debian` (the `zookeeper` package as it is installed), a version
 * such as `3.9.4`, or `3.9` for the newest of that line on Maven Central; without it Debian's where
 * there is one, otherwise the newest 3.9. Throws when Maven is needed and fails.
 */
export function findApache(wanted: string | undefined): Apache {
  const useDebian = wanted === 'debian' || (wanted === undefined && existsSync(debianJar))
  if (!useDebian) return fromMaven(wanted ?? '3.9')
  const jar = readdirSync('/usr/share/java').find((name) => /^zookeeper-\d[\d.]*\.jar$/.test(name))
  return {
    classPath: `${debianConf}:${debianJar}`,
    version: `${versionOf(jar ?? '')} (Debian)`,
  }
}

/** Releases that may be tried: a repository may list one and not hold all of its files. */
const releasesTriedMax = 5

function fromMaven(wanted: string): Apache {
  const isLine = /^\d+\.\d+$/.test(wanted)
  if (!isLine && !/^\d+\.\d+\.\d+$/.test(wanted))
    throw new Error(`--apache takes debian, a line such as 3.9, or a version, not ${wanted}`)
  const directory = join(tmpdir(), `zk-bench-apache-${wanted}`)
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'logback.xml'), logback)
  let range = isLine ? `[${wanted}.0,${wanted}.999]` : wanted
  for (let tried = 0; tried < releasesTriedMax; tried += 1) {
    const resolved = resolve(directory, range)
    if (resolved.apache !== undefined) return resolved.apache
    const missing = /zookeeper:zookeeper:jar:(\d+\.\d+\.\d+)/.exec(resolved.output)?.[1]
    if (!isLine || missing === undefined)
      throw new Error(`Maven did not find it:\n${resolved.output}`)
    range = `[${wanted}.0,${missing})`
  }
  throw new Error(`no complete release of ${wanted} after ${releasesTriedMax} tries`)
}

interface Resolved {
  readonly apache: Apache | undefined
  /** What Maven said when it failed. */
  readonly output: string
}

function resolve(directory: string, range: string): Resolved {
  const listPath = join(directory, 'class-path.txt')
  writeFileSync(join(directory, 'pom.xml'), pom(range))
  const goal = 'dependency:build-classpath'
  const options = ['-q', '-B', '-DincludeScope=runtime', `-Dmdep.outputFile=${listPath}`]
  const { status, stdout, error } = spawnSync('mvn', [...options, goal], {
    cwd: directory,
    encoding: 'utf8',
  })
  if (error !== undefined) throw error
  if (status !== 0) return { apache: undefined, output: stdout }
  const jars = readFileSync(listPath, 'utf8').trim()
  const jar = jars.split(':').find((path) => /^zookeeper-\d/.test(basename(path)))
  return {
    apache: { classPath: `${directory}:${jars}`, version: versionOf(jar ?? '') },
    output: '',
  }
}

/** The two libraries beside it are in the original's distribution, but `provided` in its POM. */
const pom = (version: string): string => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>bench</groupId>
  <artifactId>bench</artifactId>
  <version>1</version>
  <dependencies>
${dependency('org.apache.zookeeper', 'zookeeper', version)}
${dependency('io.dropwizard.metrics', 'metrics-core', '4.1.12.1')}
${dependency('org.xerial.snappy', 'snappy-java', '1.1.10.5')}
  </dependencies>
</project>
`

const dependency = (group: string, artifact: string, version: string): string =>
  `    <dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`

/** INFO, as the original ships it; without a file logback would log DEBUG and be the bottleneck. */
const logback = `<configuration>
  <appender name="CONSOLE" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d{ISO8601} [myid:] - %-5p [%t:%C{1}@%L] - %m%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="CONSOLE"/></root>
</configuration>
`
