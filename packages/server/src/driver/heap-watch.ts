/** The heap of the process: its limit, and what each major collection leaves alive. */
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'

export interface HeapReader {
  /** Bytes beyond which the process is aborted. */
  readonly limit: number
  /** Tells what is alive now, and soon after each major collection, until the returned function is called. */
  watch(alive: (bytes: number) => void): () => void
}

/** Reads the heap of this process. */
export function createHeapReader(): HeapReader {
  return {
    limit: getHeapStatistics().heap_size_limit,
    watch(alive) {
      const tell = (): void => alive(getHeapStatistics().used_heap_size)
      const observer = new PerformanceObserver((list) => {
        if (list.getEntries().some(isMajor)) tell()
      })
      observer.observe({ entryTypes: ['gc'] })
      tell()
      return () => observer.disconnect()
    },
  }
}

/** Types leave out what an entry of this kind says. */
function isMajor(entry: PerformanceEntry): boolean {
  const { detail } = entry as { readonly detail?: { readonly kind?: number } }
  return detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR
}
