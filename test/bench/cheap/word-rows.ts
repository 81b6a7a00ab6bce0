import { MemberView } from '../../../src/admin/member-view.ts'
import { WordRunner } from '../../../src/admin/word-runner.ts'
import { configOf } from '../../support/memory-server.ts'
import {
  type CheapRequest,
  type CheapRequestRow,
  collectGarbage,
  TimedServer,
} from './cheap-request.ts'
import { withWatches } from './watch-rows.ts'

const CLIENTS = 20_000
const SESSIONS = 20_000
const ASKERS = 700

const settings = { '4lw.commands.whitelist': '*', maxClientCnxns: '0' }
const noHost = {
  dataDirBytes: 0,
  logDirBytes: 0,
  openFileDescriptors: 0,
  maxFileDescriptors: 0,
  environment: new Map<string, string>(),
}

function serverWithWords(): TimedServer {
  const words = new WordRunner(configOf(settings))
  const server = new TimedServer({ settings, words })
  const build = { version: '3.9', builtOn: 'today' }
  words.attach(new MemberView(server.member, build, noHost, () => undefined))
  return server
}

function asked(name: string, word: string, times: number, server: TimedServer): CheapRequest {
  const clients = Array.from({ length: times }, () => server.open())
  let bytes = 0
  // Kept, it would be garbage of the rig's that the server's turns pay for.
  for (const client of clients)
    client.receive = ({ length }) => {
      bytes += length
      return 0
    }
  collectGarbage()
  const longestTurnMs = server.longestTurnOf(() => {
    for (const client of clients) client.sendBytes(Buffer.from(word))
  })
  return { name, sentBytes: 4 * times, longestTurnMs, outcome: `${bytes} bytes answered` }
}

function row(
  name: string,
  word: string,
  times: number,
  prepare: (server: TimedServer) => void,
): readonly [string, CheapRequestRow] {
  return [
    name,
    () => {
      const server = serverWithWords()
      prepare(server)
      return asked(name, word, times, server)
    },
  ]
}

/** `[name, row]`; the name is what the command line picks by. */
export const wordRows: readonly (readonly [name: string, row: CheapRequestRow])[] = [
  row('wchp of 800,000 watches of one client', 'wchp', 1, (server) => withWatches(server, 1)),
  row('wchp of 800,000 watches of 1,000 clients', 'wchp', 1, (server) => withWatches(server, 1000)),
  row('wchc of 800,000 watches of one client', 'wchc', 1, (server) => withWatches(server, 1)),
  row(`dump of ${SESSIONS} sessions and their connections`, 'dump', 1, (server) => {
    for (let n = 0; n < SESSIONS; n += 1) server.connect(40_000)
  }),
  row(`cons of ${CLIENTS} connections`, 'cons', 1, (server) => {
    for (let n = 0; n < CLIENTS; n += 1) server.connect(40_000)
  }),
  row(`${ASKERS} srvr, one after the other`, 'srvr', ASKERS, () => {}),
]
