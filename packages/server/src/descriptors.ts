/** What the file descriptors of the process are for: connections get what journal, prober and files do not need. */
import { readFileSync } from 'node:fs'

/** How many connections and probes a node may have open at a time. */
export interface DescriptorPlan {
  /** Most open descriptors of the process; undefined where the system does not say. */
  readonly limit: number | undefined
  readonly connectionsMax: number
  readonly probesMax: number
  /** Whether the limit leaves fewer connections than the setting asks for, or few where it asks for none. */
  readonly scarce: boolean
}

/** For Node itself, the log, the journal with its next files, and room to look at the machine. */
const FILES = 64
/** Share of the others that probes may use; most of them, whatever the limit. */
const PROBES_SHARE = 1 / 4
const PROBES_MAX = 2_048
/** What is taken for the limit where it cannot be read: that of many systems. */
const COMMON_LIMIT = 1_024
const CONNECTIONS_MAX = 50_000
/** Fewer than these are worth a warning. */
const CONNECTIONS_FEW = 4_000
/** An idle connection takes some 10 KiB of the heap. By default all together take no more than a quarter of it. */
const CONNECTION_HEAP_BYTES = 40_960

/** The soft limit of open files, which Node has raised to the hard one at its start; undefined where the system does not say. */
export function readDescriptorLimit(
  read: () => string = () => readFileSync('/proc/self/limits', 'utf8'),
): number | undefined {
  try {
    const found = /^Max open files\s+(\d+|unlimited)/m.exec(read())?.[1]
    return found === 'unlimited' ? Infinity : found === undefined ? undefined : Number(found)
  } catch {
    return undefined
  }
}

/** Divides the descriptors. `configured` is a bound of connections that is kept where they suffice for it. */
export function planDescriptors(
  limit: number | undefined,
  heapBytes: number,
  configured: number | undefined,
): DescriptorPlan {
  const rest = Math.max((limit ?? COMMON_LIMIT) - FILES, 16)
  const probesMax = Math.min(PROBES_MAX, Math.floor(rest * PROBES_SHARE))
  const room = limit === undefined && configured !== undefined ? configured : rest - probesMax
  const wanted = configured ?? Math.min(CONNECTIONS_MAX, Math.floor(heapBytes / CONNECTION_HEAP_BYTES))
  const scarce = limit !== undefined && room < (configured ?? CONNECTIONS_FEW)
  return { limit, connectionsMax: Math.min(wanted, room), probesMax, scarce }
}
