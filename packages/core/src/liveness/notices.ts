/** What the rules notice of the health of a node, and what ends by itself: told to the keepers of logs, never decided by. */
import type { ServiceNode } from '../directory/directory.js'
import type { InstanceKey } from '../records/record.js'

export type HealthNotice =
  /** The service's breaker began or ended to keep instances in spite of their silence. */
  | { readonly kind: 'service_guard'; readonly service: ServiceNode; readonly tripped: boolean }
  /** The node began or ended to doubt what it hears, or no longer hears, in a zone. */
  | { readonly kind: 'watcher_doubt'; readonly zone: string; readonly doubting: boolean }
  /** The event loop stood still: judgement waited. */
  | { readonly kind: 'stall'; readonly lateMs: number }

export type Notify = (notice: HealthNotice) => void

/** What a node tells its own log. */
export type Notice =
  | HealthNotice
  /** The time of an override was over; `wishes` is what it wanted, in words. */
  | ({ readonly kind: 'override_over'; readonly wishes: string } & InstanceKey)
