/** What the rules notice beside changes of records: told to the keeper of the log, never decided by. */
import type { ServiceNode } from '../directory/directory.js'

export type Notice =
  /** The service's breaker began or ended to keep instances in spite of their silence. */
  | { readonly kind: 'service_guard'; readonly service: ServiceNode; readonly tripped: boolean }
  /** The node began or ended to doubt what it hears, or no longer hears, in a zone. */
  | { readonly kind: 'watcher_doubt'; readonly zone: string; readonly doubting: boolean }
  /** The event loop stood still: judgement waited. */
  | { readonly kind: 'stall'; readonly lateMs: number }

export type Notify = (notice: Notice) => void
