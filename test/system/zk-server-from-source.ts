import { fileURLToPath } from 'node:url'
import { main } from '../../src/node/cli/cli.ts'

// What bin/zk-server does, on the sources instead of on dist, so that no build can be stale.
await main(process.argv.slice(2), process.env, fileURLToPath(import.meta.url))
