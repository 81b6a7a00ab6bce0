import { Summary } from '../../base/metrics.ts'
import { SizeStats } from '../../base/sizes.ts'

/** Shown by `srvr`, `stat` and `mntr` for the server as a whole; `srst` resets most of it. */
export class ServerStats {
  /** From a request's arrival to its reply, in milliseconds. */
  readonly latencyMs: Summary = new Summary('latency')
  /** Bytes of replies to clients, without the length field. */
  readonly clientResponseBytes: SizeStats = new SizeStats()
  packetsReceived = 0
  packetsSent = 0
  /** Connections ended by an authentication that failed. Not reset by `srst`, nor are the rest. */
  authFailedCount = 0
  nonMtlsRemoteCnxnCount = 0
  nonMtlsLocalCnxnCount = 0
  outstandingTlsHandshakeCount = 0
  /** 0 to 1: the share of new connections turned away by the connection throttle. */
  connectionDropProbability = 0

  /** What `srst` forgets, beside the metrics. */
  reset(): void {
    this.latencyMs.reset()
    this.clientResponseBytes.reset()
    this.packetsReceived = 0
    this.packetsSent = 0
  }
}

const NO_OP = 'NA'

/** Shown by `cons` for one connection; `crst` resets all of it. */
export class CnxnStats {
  /** Frames and four-letter words. */
  packetsReceived = 0
  /** Replies, watch events and texts. */
  packetsSent = 0
  #lastOp = NO_OP
  #lastCxid = -1
  #lastZxid = -1
  #lastResponseMono = 0
  #lastLatencyMs = 0
  #minLatencyMs = 0
  #maxLatencyMs = 0
  #latencyCount = 0
  #latencySumMs = 0

  /** As shortNameOf spells it, 'NA' before the first reply. */
  get lastOp(): string {
    return this.#lastOp
  }

  /** -1 before the first request with an xid of its own. */
  get lastCxid(): number {
    return this.#lastCxid
  }

  /** The server's last zxid at the time of the last reply; -1 before. */
  get lastZxid(): number {
    return this.#lastZxid
  }

  /** Monotonic milliseconds. */
  get lastResponseMono(): number {
    return this.#lastResponseMono
  }

  get lastLatencyMs(): number {
    return this.#lastLatencyMs
  }

  get minLatencyMs(): number {
    return this.#minLatencyMs
  }

  get maxLatencyMs(): number {
    return this.#maxLatencyMs
  }

  /** A whole number here, unlike the server's average. */
  get avgLatencyMs(): number {
    return this.#latencyCount === 0 ? 0 : Math.trunc(this.#latencySumMs / this.#latencyCount)
  }

  /**
   * Notes a reply. `cxid` is the request's xid; the negative ones of pings, authentication and
   * watch requests leave `lastCxid` at the client's last operation of its own.
   */
  onReply(op: string, cxid: number, zxid: number, startedMono: number, nowMono: number): void {
    const latencyMs = nowMono - startedMono
    if (cxid >= 0) this.#lastCxid = cxid
    this.#lastZxid = zxid
    this.#lastOp = op
    this.#lastResponseMono = nowMono
    this.#lastLatencyMs = latencyMs
    if (this.#latencyCount === 0 || latencyMs < this.#minLatencyMs) this.#minLatencyMs = latencyMs
    if (latencyMs > this.#maxLatencyMs) this.#maxLatencyMs = latencyMs
    this.#latencyCount += 1
    this.#latencySumMs += latencyMs
  }

  reset(): void {
    this.packetsReceived = 0
    this.packetsSent = 0
    this.#lastOp = NO_OP
    this.#lastCxid = -1
    this.#lastZxid = -1
    this.#lastResponseMono = 0
    this.#lastLatencyMs = 0
    this.#minLatencyMs = 0
    this.#maxLatencyMs = 0
    this.#latencyCount = 0
    this.#latencySumMs = 0
  }
}
