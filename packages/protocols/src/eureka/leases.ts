/**
 * Which silent instances are over by Eureka's own times, an only one of its service too (ADR 16): `DOWN` when its lease is over,
 * gone after twice its lease, which is when Eureka's own server evicts, because it counts the lease twice. What holds silence
 * back natively holds it back here, but for the rule that keeps the last one. Pure but for what it asks of the registry.
 */
import type { InstanceKey, KnownSilence, Queries } from '@rollcall/core'
import type { Held } from './applications.js'

/** How a silent instance is shown: as it says or the registry judges, as `DOWN`, or not any more. */
export type Fate = 'shown' | 'down' | 'evicted'

/** What is asked of the registry. */
export interface LeasesDeps {
  silence(key: InstanceKey): KnownSilence | undefined
  /** The share of its service that silence may take at once. */
  share(key: InstanceKey): number
}

interface Overdue {
  readonly held: Held
  readonly silence: KnownSilence
}

/** Asks the registry as it is at the time. */
export function askRegistry(read: () => Queries): LeasesDeps {
  return {
    silence: (key) => read().silence(key),
    share: (key) => read().silentShare(key),
  }
}

/**
 * The fates of the silent instances of one application, `listed` being all that it has. Looks at one instance in each step;
 * which are silent and which are listed must be as they were at the beginning.
 */
export function* fatesOf(
  deps: LeasesDeps,
  silent: readonly Held[],
  listed: readonly Held[],
): Generator<void, ReadonlyMap<Held, Fate>> {
  const fates = new Map<Held, Fate>()
  const overdue: Overdue[] = []
  for (const held of silent) {
    yield
    const silence = deps.silence(held.key)
    fates.set(held, 'shown')
    if (silence !== undefined && !silence.isDoubted && silence.silentMs >= held.offer.content.leaseMs)
      overdue.push({ held, silence })
  }
  if (overdue.length === 0) return fates
  let room = yield* roomOf(deps, listed)
  let isHeldBack = false
  for (const { held, silence } of overdue) {
    const isFree = !silence.isCounted || isDown(held)
    if (!isFree && --room < 0) isHeldBack = true
    else fates.set(held, 'down')
  }
  // While the breaker keeps others, nothing that silence took is removed, as natively.
  for (const { held, silence } of overdue) {
    const isTwice = silence.silentMs >= 2 * held.offer.content.leaseMs
    if (fates.get(held) === 'down' && isTwice && !(silence.isCounted && isHeldBack))
      fates.set(held, 'evicted')
  }
  return fates
}

/** How many more of them silence may take: a share of those that count, and one in any case. */
function* roomOf(deps: LeasesDeps, listed: readonly Held[]): Generator<void, number> {
  const [first] = listed
  const share = first === undefined ? 1 : deps.share(first.key)
  let counted = 0
  let lost = 0
  for (const held of listed) {
    yield
    const silence = deps.silence(held.key)
    if (silence?.isCounted === false) continue
    counted++
    if (isLost(held)) lost++
  }
  return Math.max(1, Math.floor(share * counted)) - lost
}

/** Given up already, here or natively. */
function isDown({ status, spoken, offer }: Held): boolean {
  return status !== spoken || offer.instance.state === 'down'
}

/** By silence, and not because its port refuses. */
function isLost(held: Held): boolean {
  return isDown(held) && held.offer.instance.reason !== 'refused'
}
