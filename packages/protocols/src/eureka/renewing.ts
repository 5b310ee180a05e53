/** What a registration becomes, by what was stored before: which status counts, and which times are kept. Pure. */
import type { Offer } from '@rollcall/core'
import { readDocument, writeDocument } from './document.js'
import { statusesOf } from './mapping.js'
import type { Said } from './messages.js'
import type { Status } from './statuses.js'

/** Whether what is stored is newer than what comes, by the time that the client itself counts: then it stays. */
export function isOutdated(said: Said, stored: Said | undefined): boolean {
  return said.lastDirty !== undefined && (stored?.lastDirty ?? 0) > said.lastDirty
}

/**
 * What is to be stored. The status is that by Eureka's rules: `DOWN` and `STARTING` as they are said; then the override;
 * then, while it is registered, `UP` or `OUT_OF_SERVICE` as it was; then what is said. A registration that says nothing new
 * keeps its times, so that it writes nothing.
 */
export function renewed(said: Said, offer: Offer | undefined, wallNow: number): Said {
  const stored = offer === undefined ? undefined : readDocument(offer)
  const overriddenStatus =
    stored !== undefined && stored.overriddenStatus !== 'UNKNOWN'
      ? stored.overriddenStatus
      : said.overriddenStatus
  const status = effective(said.status, overriddenStatus, offer, stored)
  const next = { ...said, status, overriddenStatus }
  if (stored !== undefined && saysTheSame(next, stored)) return stored
  return {
    ...next,
    registeredAt: wallNow,
    upAt: stored !== undefined && stored.upAt > 0 ? stored.upAt : status === 'UP' ? wallNow : 0,
    lastUpdated: wallNow,
    lastDirty: said.lastDirty ?? wallNow,
  }
}

function effective(
  status: Status,
  override: Status,
  offer: Offer | undefined,
  stored: Said | undefined,
): Status {
  if (status === 'DOWN' || status === 'STARTING') return status
  if (override !== 'UNKNOWN') return override
  if (offer === undefined || stored === undefined) return status
  const { status: shown, overridden } = statusesOf(offer, stored)
  // Under an operator's override it is what will be shown when that ends.
  if (overridden !== 'UNKNOWN') return status
  return shown === 'UP' || shown === 'OUT_OF_SERVICE' ? shown : status
}

/** But for times that only the registry counts. A client that counts none is not newer each time. */
function saysTheSame(next: Said, stored: Said): boolean {
  const times = {
    registeredAt: 0,
    upAt: 0,
    lastUpdated: 0,
    lastDirty: next.lastDirty ?? stored.lastDirty ?? 0,
  }
  const [a, b] = [next, { ...stored }].map((said) => writeDocument({ ...said, ...times }).document)
  const isSameDirty = next.lastDirty === undefined || next.lastDirty === stored.lastDirty
  return a === b && isSameDirty && sameMetadata(next.metadata, stored.metadata)
}

function sameMetadata(a: Said['metadata'], b: Said['metadata']): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}
