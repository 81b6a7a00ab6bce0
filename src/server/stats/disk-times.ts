import type { ServerMetrics } from './server-metrics.ts'

/** What is known of the time of a batch of the log. */
interface TimedBatch {
  /** 0: it appends nothing, and is not counted. */
  readonly txns: number
  /** When the oldest of them was handed over, and when the disk took them. */
  readonly handedMono: number
  readonly takenMono: number
}

/** The sync_processor_ metrics: what becomes of txns between the turn that makes them and the disk. */
export class DiskTimes {
  readonly #metrics: ServerMetrics

  constructor(metrics: ServerMetrics) {
    this.#metrics = metrics
  }

  onTaken({ txns, handedMono, takenMono }: TimedBatch): void {
    if (txns === 0) return
    this.#metrics.syncProcessorRequestQueued.add(txns)
    this.#metrics.syncProcessorQueueSize.add(txns)
    this.#metrics.syncProcessorQueueTimeMs.add(takenMono - handedMono)
  }

  /** `leader`: the sid of this member if it leads, and so has to ack its own proposals. */
  onDurable(batch: TimedBatch, nowMono: number, leader: number | undefined): void {
    const { txns, handedMono, takenMono } = batch
    if (txns === 0) return
    const metrics = this.#metrics
    metrics.syncProcessorBatchSize.add(txns)
    metrics.syncProcessorQueueFlushTimeMs.add(nowMono - takenMono)
    metrics.syncProcessTime.add(nowMono - takenMono)
    metrics.syncProcessorQueueAndFlushTimeMs.add(nowMono - handedMono)
    if (leader === undefined) return
    metrics.proposalAckCreationLatency.add(nowMono - handedMono)
    metrics.ackLatency.add(String(leader), nowMono - handedMono)
  }
}
