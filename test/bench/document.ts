import { writeFileSync } from 'node:fs'

/** Rewrites docs/benchmarks.md: how it is measured, then the tables of this run. */
export function writeDocument(tables: string): void {
  writeFileSync(new URL('../../docs/benchmarks.md', import.meta.url), `${introduction}\n${tables}`)
}

const introduction = `# Benchmarks

This page is written by \`npm run bench -- --write-doc\`; do not edit it by hand.

## How it is measured

- Three servers run in turn on one machine, in every round: a bare echo server on Node (it finds the end
  of each frame and answers with a fixed reply of the right size), Apache ZooKeeper, and zk-server. Each
  starts on an empty data directory, on a real disk, with every write synced before it is answered.
- Both ZooKeepers read the same \`zoo.cfg\`: defaults, but \`maxClientCnxns=0\`, all four-letter words, and
  no HTTP server. Apache ZooKeeper is started as \`zkServer.sh\` starts it, without its JMX agent, and with
  the logging that its package ships.
- The load generator is a process of its own. It writes request frames that were encoded beforehand, keeps
  a fixed number of them unanswered on each connection, and of the replies looks at the length and the
  error code. The echo column is the most that it can show of any server on Node here; where a server
  comes near it, it is the generator that is measured.
- A row *c*×*o* is *c* connections with *o* requests outstanding on each. All data are 100 bytes. Gets and
  sets go round 1000 znodes; creates make persistent sequential znodes under ten parents.
- After each start, every workload runs at 10×10 uncounted, so that the compilers of Java and of Node have
  done their work; each cell then has 0.3 s of load before its counted time.
- The ratio is that of the medians; in brackets, our worst round to its best and our best to its worst.
- The processor time of a request is that of the server's process, divided by all that it answered.
- Rounds in which other processes kept more than a tenth of a core busy are left out where a calmer one of
  the same cell exists.
- Latency is that of every request at 1×1. Start time is from the start of the process to its first
  \`imok\`, the median of several starts on an empty data directory. Resident memory is of the process.

\`npm run bench -- --help\` lists the options; \`--quick\` gives a first look in about a minute.
\`--cpu-prof DIR\` also writes a CPU profile of zk-server, and
\`npx tsx test/bench/cpu-top.ts DIR/*.cpuprofile\` prints its hottest functions.

## Result
`
