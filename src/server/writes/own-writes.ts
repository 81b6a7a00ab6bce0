import { JuteReader, JuteWriter } from 'jute-ts'
import type { TurnClock } from '../../base/turn-clock.ts'
import { OpCode } from '../../data/op-code.ts'
import type { SessionId } from '../../data/session-id.ts'
import { serverRequest, type WritePath } from './write-path.ts'

const NO_SESSION = 0n
const NO_BODY: Buffer = Buffer.alloc(0)

/** Writes that no client has asked for, on the member that decides. They go the way of all others. */
export class OwnWrites {
  readonly #writePath: WritePath
  readonly #clock: TurnClock

  constructor(writePath: WritePath, clock: TurnClock) {
    this.#writePath = writePath
    this.#clock = clock
  }

  closeSession(id: SessionId): void {
    this.#submit(OpCode.closeSession, id, NO_BODY)
  }

  deleteContainer(path: string): void {
    const w = new JuteWriter(path.length * 3 + 4)
    w.writeString(path)
    this.#submit(OpCode.deleteContainer, NO_SESSION, w.bytes())
  }

  #submit(op: number, sessionId: SessionId, body: Buffer): void {
    const request = serverRequest(op, sessionId)
    this.#writePath.submit(request, new JuteReader(body), this.#clock.wall, undefined)
  }
}
