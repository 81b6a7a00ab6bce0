import { constants, PerformanceObserver } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'

/** In bytes: how large the heap may become. */
export function heapLimitBytes(): number {
  return getHeapStatistics().heap_size_limit
}

/**
 * Tells after each full collection how much is in use: at any other time what is not needed any more is
 * in it, and may be most of it. Returns how to stop.
 */
export function watchHeap(onMeasured: (usedBytes: number, limitBytes: number) => void): () => void {
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (kindOf(entry) !== constants.NODE_PERFORMANCE_GC_MAJOR) continue
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
      return onMeasured(used, limit)
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => observer.disconnect()
}

function kindOf(entry: object): unknown {
  const detail: unknown = 'detail' in entry ? entry.detail : undefined
  return typeof detail === 'object' && detail !== null && 'kind' in detail ? detail.kind : undefined
}
