/** What is measured: the operations, and how many requests are kept in flight over how many connections. */

/** `create` makes persistent sequential nodes, so that one request frame serves for every node. */
export const workloads = ['get', 'set', 'create'] as const
export type Workload = (typeof workloads)[number]

/** `connections` sockets, each with `outstanding` requests unanswered at any time. */
export interface Shape {
  readonly connections: number
  readonly outstanding: number
}

export const shapes: readonly Shape[] = [
  { connections: 1, outstanding: 1 },
  { connections: 1, outstanding: 100 },
  { connections: 10, outstanding: 10 },
  { connections: 100, outstanding: 1 },
  { connections: 1000, outstanding: 1 },
]

/** The data of every znode that is read or written, in bytes. */
export const dataBytes = 100

/** `1x100`: the way a shape is written on the command line and in the JSON result. */
export const shapeName = (shape: Shape): string => `${shape.connections}x${shape.outstanding}`

/** `undefined` when the text is no shape, or has a zero in it. */
export function parseShape(text: string): Shape | undefined {
  const match = /^(\d{1,4})[x×](\d{1,4})$/.exec(text)
  if (match === null) return undefined
  const shape = { connections: Number(match[1]), outstanding: Number(match[2]) }
  return shape.connections > 0 && shape.outstanding > 0 ? shape : undefined
}

export const isWorkload = (text: string): text is Workload =>
  workloads.some((workload) => workload === text)

/** What the load generator is asked to do; it answers each order with one `LoadAnswer`. */
export type LoadOrder =
  | { readonly kind: 'prepare'; readonly port: number }
  | {
      readonly kind: 'run'
      /** Of the servers that the connections go to in turn. */
      readonly ports: readonly number[]
      /** A bare server gets no handshake and no znodes: it is only there to be counted against. */
      readonly bare: boolean
      readonly workload: Workload
      readonly shape: Shape
      /** Load is applied this long before anything is counted. */
      readonly rampMs: number
      readonly durationMs: number
    }

export interface LoadResult {
  readonly opsPerSecond: number
  /** Latency in microseconds: of every request at 1×1, of about one in `outstanding` otherwise. */
  readonly p50Us: number
  readonly p99Us: number
  /** All that were answered, counted or not. */
  readonly replies: number
  /** Processor time of the generator for the whole order, in milliseconds. */
  readonly generatorCpuMs: number
  /** The generator's own use of one core, 0 to 1: near 1 it is the generator that is measured. */
  readonly generatorCpu: number
}

export type LoadAnswer =
  | { readonly kind: 'done'; readonly result: LoadResult | undefined }
  | { readonly kind: 'failed'; readonly reason: string }
