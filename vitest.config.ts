import { existsSync } from 'node:fs'
import { defineConfig, type ViteUserConfig } from 'vitest/config'

/**
 * The interop tests drive the clients of the field: ZooKeeper's own, kazoo, Curator, Kafka. Where the
 * Debian packages of `.ci/run` are not installed there is nothing to drive, and that is said; in CI
 * they are never left out.
 */
const fieldClients = [
  '/usr/share/java/zookeeper.jar',
  '/usr/include/zookeeper/zookeeper.h',
  '/usr/bin/mvn',
]
const { CI } = process.env
const missing = CI === undefined ? fieldClients.filter((path) => !existsSync(path)) : []
if (missing.length > 0)
  process.stderr.write(`The interop tests are left out: they need ${missing.join(', ')}.\n`)

const config: ViteUserConfig = defineConfig({
  ssr: { resolve: { conditions: ['source'] } },
  resolve: { conditions: ['source'] },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts', 'src/jute-ts/test/**/*.test.ts'],
          exclude: ['test/interop/**'],
          sequence: { groupOrder: 0 },
          // Some turn thousands of bytes one by one; a busy machine takes its time for that.
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'interop',
          include: missing.length > 0 ? [] : ['test/interop/**/*.test.ts'],
          // One after the other, and after the unit tests: what they watch is the time things take.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          globalSetup: ['test/interop/harness/global-setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
})

export default config
