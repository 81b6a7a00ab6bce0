import { describe, expect, it } from 'vitest'
import { Err } from '../../../../src/data/error-code.ts'
import { OpCode } from '../../../../src/data/op-code.ts'
import { writeSetWatches } from '../../../../src/data/records.ts'
import { partsOf } from '../../../support/answers.ts'
import { MemoryEnsemble } from '../../../support/memory-ensemble.ts'
import { MemoryServer } from '../../../support/memory-server.ts'
import {
  check,
  create,
  getData,
  multi,
  pathAndInt,
  remove,
  setData,
} from '../../../support/requests.ts'

const LIMIT = 1000
const use = (server: MemoryServer, used: number): void => {
  server.loop.enter((member) => member.onHeap(used, LIMIT))
  server.settle()
}

const serverWithNode = (): MemoryServer => {
  const server = new MemoryServer({ settings: { heapSoftLimitPercent: '80' } })
  server.connect().call(OpCode.create, create('/n'))
  return server
}

describe('a heap that is nearly full', () => {
  it('takes no more nodes, one above the soft limit and until there is room again', () => {
    const server = serverWithNode()
    const client = server.connect()
    const errOf = (path: string): number => client.call(OpCode.create, create(path)).err
    use(server, 800)
    expect(errOf('/a')).toBe(Err.ok)
    use(server, 801)
    expect(errOf('/b')).toBe(Err.systemError)
    use(server, 761)
    expect(errOf('/b')).toBe(Err.systemError)
    use(server, 760)
    expect(errOf('/b')).toBe(Err.ok)
    const told = server.logged.filter(({ message }) => message.startsWith('the heap'))
    expect(told.map(({ level }) => level)).toEqual(['error', 'info'])
  })

  it('lets go on what makes nothing larger', () => {
    const server = serverWithNode()
    const client = server.connect()
    use(server, 900)
    expect(client.call(OpCode.setData, setData('/n', 'x')).err).toBe(Err.ok)
    expect(client.call(OpCode.getData, getData('/n')).err).toBe(Err.ok)
    const parts = client.call(OpCode.multi, multi([[OpCode.check, check('/n')]]))
    expect(partsOf(parts).map(({ err }) => err)).toEqual([Err.ok])
    const creating = multi([
      [OpCode.check, check('/n')],
      [OpCode.create, create('/m')],
    ])
    const refused = partsOf(client.call(OpCode.multi, creating)).map(({ err }) => err)
    expect(refused).toEqual([Err.ok, Err.systemError])
    expect(client.call(OpCode.delete, remove('/n')).err).toBe(Err.ok)
    expect(server.connect().sessionId).not.toBe(0n)
    expect(client.call(OpCode.closeSession).err).toBe(Err.ok)
  })

  it('takes no more watches, and sends away who brings some along', () => {
    const server = serverWithNode()
    const client = server.connect()
    use(server, 900)
    expect(client.call(OpCode.getData, getData('/n', true)).err).toBe(Err.systemError)
    expect(client.call(OpCode.exists, getData('/none', true)).err).toBe(Err.systemError)
    expect(client.call(OpCode.getChildren, getData('/n', true)).err).toBe(Err.systemError)
    expect(client.call(OpCode.addWatch, pathAndInt('/n', 0)).err).toBe(Err.systemError)
    expect(server.member.watches.table.watchCount).toBe(0)
    const lists = { dataWatches: ['/n'], existWatches: [], childWatches: [] }
    client.send(OpCode.setWatches, (w) => writeSetWatches(w, { relativeZxid: 9, ...lists }))
    expect(client.takeReplies()).toEqual([])
    expect(client.isClosed).toBe(true)
  })

  it('of a leader refuses what is forwarded to it, and of a follower what its clients ask for', () => {
    const ensemble = new MemoryEnsemble([1, 2, 3], { heapSoftLimitPercent: '80' })
    const leader = ensemble.awaitLeader()
    const client = ensemble.server(1).connect()
    expect(leader).not.toBe(1)
    use(ensemble.server(leader), 900)
    expect(client.call(OpCode.create, create('/a')).err).toBe(Err.systemError)
    use(ensemble.server(leader), 0)
    use(ensemble.server(1), 900)
    expect(client.call(OpCode.create, create('/a')).err).toBe(Err.systemError)
    expect(ensemble.server(2).connect().call(OpCode.create, create('/a')).err).toBe(Err.ok)
  })

  it('is no matter where the limit is 0', () => {
    const server = new MemoryServer({ settings: { heapSoftLimitPercent: '0' } })
    use(server, LIMIT)
    expect(server.connect().call(OpCode.create, create('/a')).err).toBe(Err.ok)
  })
})
