/**
 * What a request costs a member alone, without sockets and disk, in microseconds of processor time:
 *   npx tsx --conditions=source test/bench/in-process.ts set
 * prints the least of many rounds. With flags of V8:
 *   node FLAGS --conditions=source --import tsx test/bench/in-process.ts set
 */
import { JuteWriter } from 'jute-ts'
import { OpCode } from '../../src/data/op-code.ts'
import { MemoryServer } from '../support/memory-server.ts'
import { create, getData, setData } from '../support/requests.ts'

const PIPELINED = 100
const DATA = Buffer.alloc(100, 7)
const TURNS = 200
const ROUNDS = 12

const isGet = process.argv[2] === 'get'
const server = new MemoryServer()
const client = server.connect()
client.call(OpCode.create, create('/bench', { data: DATA }))
client.call(OpCode.create, create('/bench/a', { data: DATA }))

const w = new JuteWriter()
for (let xid = 10; xid < 10 + PIPELINED; xid += 1) {
  const at = w.reserveInt()
  w.writeInt(xid)
  w.writeInt(isGet ? OpCode.getData : OpCode.setData)
  if (isGet) getData('/bench/a')(w)
  else setData('/bench/a', DATA)(w)
  w.patchLength(at)
}
const requests = w.copy()

function turns(count: number): void {
  for (let turn = 0; turn < count; turn += 1) {
    client.sendBytes(requests)
    client.received = Buffer.alloc(0)
  }
}

turns(2 * TURNS)
let least = Infinity
for (let round = 0; round < ROUNDS; round += 1) {
  const before = process.cpuUsage()
  turns(TURNS)
  const { user, system } = process.cpuUsage(before)
  least = Math.min(least, (user + system) / TURNS / PIPELINED)
}
process.stdout.write(`${isGet ? 'get' : 'set'} ${least.toFixed(3)} us\n`)
