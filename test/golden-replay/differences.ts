import type { Difference } from './replay-align.ts'

/** A difference that is meant: the recordings are of 3.8.0, and our model is 3.9. */
export interface ListedDifference extends Difference {
  readonly scenario: string
  readonly reason: string
}

const existsNeedsRead = 'exists needs READ since 3.9.4 (ZOOKEEPER-2590)'
const modesCoexist =
  'since 3.9.0 a persistent and a recursive watch of one client stand side by side on a path, and a ' +
  'one-shot one beside them; 3.8 kept the last one only (ZOOKEEPER-4466)'
const typesMatchModes =
  'since 3.9.0 type 2 removes one-shot data watches only, of which there are none (ZOOKEEPER-4471)'
const notForClients =
  'ops 20 and -10 are internal to the server; 3.8 took them from clients, we answer them as unknown and ' +
  'close the connection (spec 01 §4)'
const create2InMulti =
  'since 3.9.0 a create2 in a multi is answered as such, with the Stat (ZOOKEEPER-4026)'
const orderOfEphemerals =
  'the ephemerals of a session are a set: 3.8 deletes them in the order of its hash table, we in the ' +
  'order of creation'

const rootOfBadop =
  '{stat={czxid=0, mzxid=0, ctime=time of 0, mtime=time of 0, version=0, cversion=23, aversion=0, ' +
  'ephemeralOwner=none, dataLength=0, numChildren=17, pzxid=137}}'
const freshStat = (zxid: number): string =>
  `{czxid=${zxid}, mzxid=${zxid}, ctime=time of ${zxid}, mtime=time of ${zxid}, version=0, ` +
  `cversion=0, aversion=0, ephemeralOwner=none, dataLength=0, numChildren=0, pzxid=${zxid}}`
const event = (type: number, path: string): string =>
  `event zxid=-1 err=0 {type=${type}, state=3, path='${path}'}`
const containerAndTtl =
  `create2 err=0 {path='/rm/cont', stat=${freshStat(173)}}, ` +
  `create2 err=0 {path='/rm/ttl', stat=${freshStat(173)}}]`

/**
 * Every difference between what the recorded clients were told and what ours tells them, but for the
 * zxid in the header of events: that one follows a rule, which the replay checks.
 */
export const listedDifferences: readonly ListedDifference[] = [
  {
    scenario: 'zkcli-watches',
    at: '1:6+1',
    recorded: undefined,
    ours: event(4, '/wa'),
    reason: modesCoexist,
  },
  {
    scenario: 'zkcli-watches',
    at: '1:17',
    recorded: 'removeWatches xid=10 zxid=30 err=0',
    ours: 'removeWatches xid=10 zxid=30 err=-121',
    reason: typesMatchModes,
  },
  {
    scenario: 'zkcli-noauth',
    at: '1:8',
    recorded:
      'exists xid=8 zxid=44 err=0 {stat={czxid=35, mzxid=35, ctime=time of 35, mtime=time of 35, ' +
      'version=0, cversion=2, aversion=1, ephemeralOwner=none, dataLength=1, numChildren=2, pzxid=38}}',
    ours: 'exists xid=8 zxid=44 err=-102',
    reason: existsNeedsRead,
  },
  {
    scenario: 'raw-badop',
    at: '4:1',
    recorded: 'deleteContainer xid=1 zxid=161 err=-8',
    ours: 'deleteContainer xid=1 zxid=-1 err=-6',
    reason: notForClients,
  },
  {
    scenario: 'raw-badop',
    at: '4:2',
    recorded: `exists xid=2 zxid=161 err=0 ${rootOfBadop}`,
    ours: undefined,
    reason: notForClients,
  },
  {
    scenario: 'raw-badop',
    at: '4:3',
    recorded: 'closeSession xid=3 zxid=162 err=0',
    ours: undefined,
    reason: notForClients,
  },
  {
    scenario: 'raw-badop',
    at: '5:1',
    recorded:
      'connectResponse {protocolVersion=0, timeOut=10000, sessionId=session 26, passwd=its own} ' +
      'readOnly=false',
    ours: 'createSession xid=1 zxid=-1 err=-6',
    reason: notForClients,
  },
  {
    scenario: 'raw-badop',
    at: '5:2',
    recorded: `exists xid=2 zxid=164 err=0 ${rootOfBadop}`,
    ours: undefined,
    reason: notForClients,
  },
  {
    scenario: 'raw-badop',
    at: '5:3',
    recorded: 'closeSession xid=3 zxid=165 err=0',
    ours: undefined,
    reason: notForClients,
  },
  {
    scenario: 'raw-multi',
    at: '1:3',
    recorded: `multi xid=3 zxid=173 err=0 [create err=0 {path='/rm/c2'}, ${containerAndTtl}`,
    ours:
      `multi xid=3 zxid=173 err=0 [create2 err=0 {path='/rm/c2', stat=${freshStat(173)}}, ` +
      containerAndTtl,
    reason: create2InMulti,
  },
  {
    scenario: 'raw-watches',
    at: '1:45+1',
    recorded: undefined,
    ours: event(1, '/rw/z'),
    reason: modesCoexist,
  },
  {
    scenario: 'raw-watches',
    at: '1:51+1',
    recorded: undefined,
    ours: event(1, '/rw/m1'),
    reason: modesCoexist,
  },
  {
    scenario: 'raw-watches',
    at: '1:51+2',
    recorded: undefined,
    ours: event(3, '/rw/m1'),
    reason: modesCoexist,
  },
  {
    scenario: 'raw-watches',
    at: '1:51+3',
    recorded: undefined,
    ours: event(2, '/rw/m1'),
    reason: modesCoexist,
  },
  {
    scenario: 'raw-auth',
    at: '2:8',
    recorded: `exists xid=8 zxid=236 err=0 {stat=${freshStat(231)}}`,
    ours: 'exists xid=8 zxid=236 err=-102',
    reason: existsNeedsRead,
  },
  {
    scenario: 'raw-watches2',
    at: '1:19',
    recorded: event(2, '/w/e2'),
    ours: undefined,
    reason: orderOfEphemerals,
  },
  {
    scenario: 'raw-watches2',
    at: '1:20',
    recorded: event(4, '/w'),
    ours: undefined,
    reason: orderOfEphemerals,
  },
  {
    scenario: 'raw-watches2',
    at: '1:22+1',
    recorded: undefined,
    ours: event(4, '/w'),
    reason: orderOfEphemerals,
  },
  {
    scenario: 'raw-watches2',
    at: '1:22+2',
    recorded: undefined,
    ours: event(2, '/w/e2'),
    reason: orderOfEphemerals,
  },
]
