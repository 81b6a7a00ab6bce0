import { constants, PerformanceObserver } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'

/**
 * The part of the heap that is for new objects only, by default: three times 16 MiB. What has
 * survived a full collection cannot use it.
 */
const YOUNG_BYTES = 48 * 1024 * 1024

/** In bytes: how much may survive a full collection. */
export function heapLimitBytes(): number {
  const limit = getHeapStatistics().heap_size_limit
  return Math.max(limit - YOUNG_BYTES, limit / 2)
}

/**
 * Tells after each full collection how much is in use: at any other time what is not needed any more is
 * in it, and may be most of it. Returns how to stop.
 */
export function watchHeap(onMeasured: (usedBytes: number, limitBytes: number) => void): () => void {
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (kindOf(entry) !== constants.NODE_PERFORMANCE_GC_MAJOR) continue
      return onMeasured(getHeapStatistics().used_heap_size, heapLimitBytes())
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return () => observer.disconnect()
}

function kindOf(entry: object): unknown {
  const detail: unknown = 'detail' in entry ? entry.detail : undefined
  return typeof detail === 'object' && detail !== null && 'kind' in detail ? detail.kind : undefined
}
