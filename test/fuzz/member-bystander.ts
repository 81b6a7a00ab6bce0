import { JuteReader } from 'jute-ts'
import { expect } from 'vitest'
import { OpCode } from '../../src/data/op-code.ts'
import { readGetDataResponse, readWatcherEvent } from '../../src/data/records.ts'
import { sessionPassword } from '../../src/data/session-id.ts'
import { AddWatchMode, EventType } from '../../src/data/watch-event.ts'
import type { MemoryClient, MemoryServer, Reply } from '../support/memory-server.ts'
import { create, getData, pathAndInt, remove } from '../support/requests.ts'
import { demand } from './member-checks.ts'
import { LONG_DATA_BYTES } from './member-wishes.ts'

const XID_EVENT = -1
const XID_PING = -2
/** Where the fuzz does not come: its paths are others, and random bytes will not name this one. */
const home = '/not-for-the-fuzz'
const data = Buffer.from('still here')
/** What the others find, to do with as they like: most requests would be in vain without. */
const long = Buffer.alloc(LONG_DATA_BYTES)
const furniture = ['/a', '/a/b', '/a/b/c', '/b', '/zookeeper/quota/a']

/** A client that minds its own business on the member that others molest. */
export class Bystander {
  /** So far from the ids that the member gives out that no damage to one of them leads here. */
  static readonly sessionId = 0x5a_6b7c8d9e_af1c27n
  readonly #client: MemoryClient
  /** How many of its nodes there have been. */
  #rounds = 0
  #pings = 0

  constructor(server: MemoryServer) {
    this.#client = server.open('127.0.0.2')
    const { sessionId } = Bystander
    const passwd = sessionPassword(sessionId)
    expect(this.#client.handshake({ sessionId, passwd })?.timeOut).toBe(4000)
    for (const path of [home, ...furniture])
      expect(this.#client.call(OpCode.create, create(path, { data: long })).err).toBe(0)
    const recursive = pathAndInt(home, AddWatchMode.PersistentRecursive)
    expect(this.#client.call(OpCode.addWatch, recursive).err).toBe(0)
  }

  /** May be answered later: nobody is read while too many requests wait. */
  ping(): void {
    this.#pings += 1
    this.#client.send(OpCode.ping, () => {}, XID_PING)
  }

  /** Nothing comes but answers to its pings. */
  take(): void {
    demand(!this.#client.isClosed, 'the bystander is left connected')
    for (const { xid, err } of this.#client.takeReplies()) {
      demand(xid === XID_PING && err === 0, `the bystander is not told ${xid} ${err}`)
      this.#pings -= 1
    }
  }

  /** It is answered as ever, hears of what it does itself, and of nothing else. */
  expectUntouched(): void {
    this.take()
    expect([this.#pings, this.#client.isPaused]).toEqual([0, false])
    const path = `${home}/${this.#rounds}`
    this.#rounds += 1
    this.#expectReplies(OpCode.create, create(path, { data }), EventType.NodeCreated, path)
    const { err, body } = this.#client.call(OpCode.getData, getData(path, false))
    expect([err, readGetDataResponse(body).data]).toEqual([0, data])
    this.#expectReplies(OpCode.delete, remove(path), EventType.NodeDeleted, path)
  }

  #expectReplies(op: number, body: ReturnType<typeof create>, type: EventType, path: string): void {
    const xid = this.#client.send(op, body)
    const [event, reply, ...more] = this.#client.takeReplies()
    expect(more).toEqual([])
    expect([event?.xid, reply?.xid, reply?.err]).toEqual([XID_EVENT, xid, 0])
    expect(event?.zxid).toBe(reply?.zxid)
    expect(watcherEventOf(event)).toMatchObject({ type, path })
  }
}

const watcherEventOf = (event: Reply | undefined): object =>
  readWatcherEvent(event?.body ?? new JuteReader())
