import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { loadConfig } from '../../../../src/node/cli/config-file.ts'
import { packageDir } from '../../../../src/node/cli/server-paths.ts'

const conf = join(packageDir, 'conf')

it('ships a standalone configuration that equals the built-in one', () => {
  expect(loadConfig(join(conf, 'zoo_sample.cfg'), {})).toMatchObject({
    notes: [],
    config: { clientPort: 2181, dataDir: resolve('data'), tickTimeMs: 2000 },
  })
})

it.each([1, 2, 3])('ships server %i of an ensemble', (id) => {
  expect(loadConfig(join(conf, `zoo${id}.cfg`), {})).toMatchObject({
    notes: [],
    config: {
      myid: id,
      clientPort: 2180 + id,
      dataDir: resolve(`data/zoo${id}`),
      dataLogDir: resolve(`data/zoo${id}-log`),
      fourLetterWords: '*',
      servers: { size: 3 },
    },
  })
})
