/** Log lines about links that do not come about: a stranger, or a peer that tries again and again, brings about a bounded number. */
import type { Logger } from '@rollcall/core'
import type { LinkClock } from './sockets.js'

/** The same is told again after this, with how often it happened meanwhile. */
const REPEAT_MS = 60_000
/** Distinct things that are remembered. Beyond it all are forgotten. */
const REMEMBERED_MAX = 64
/** Most lines in `REPEAT_MS`, whatever comes. */
const LINES_MAX = 20

/** Tells of `what` once in a while. `fields` are texts of others: they are cut. */
export type RefusalLines = (what: string, fields: Readonly<Record<string, string | undefined>>) => void

/** Creates the lines. */
export function createRefusalLines(
  { clock, logger }: { readonly clock: LinkClock; readonly logger: Logger },
  message: string,
): RefusalLines {
  const told = new Map<string, { readonly at: number; times: number }>()
  let windowAt = -Infinity
  let lines = 0
  return (what, fields) => {
    const now = clock.now()
    const cut = Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, value?.slice(0, 128)]),
    )
    const key = `${what} ${Object.values(cut).join(' ')}`
    const before = told.get(key)
    if (before !== undefined && now - before.at < REPEAT_MS) {
      before.times++
      return
    }
    if (now - windowAt >= REPEAT_MS) {
      windowAt = now
      lines = 0
    }
    if (lines >= LINES_MAX) return
    lines++
    if (told.size >= REMEMBERED_MAX) told.clear()
    told.set(key, { at: now, times: 0 })
    const times = before === undefined || before.times === 0 ? {} : { times: before.times + 1 }
    logger.warn({ reason: what, ...cut, ...times }, message)
  }
}
