/** The loop of a bridge: both registries are read, both directions do what is due, what changed is told. */
import { isRegistryError, RegistryError } from '@rollcall/wire'
import type { Clock } from '../clock.js'
import { sleep } from '../clock.js'
import type { Chance } from '../random.js'
import { backOffMs, roundMs } from './back-off.js'
import { Direction, type BridgeWork } from './direction.js'
import type { SideListing, MirroredInstance } from './records.js'
import type { BridgeReport } from './report.js'
import type { ItemDone, Side } from './side.js'

export interface BridgeDeps {
  readonly clock: Clock
  readonly random: Chance
  readonly report: BridgeReport
}

export interface BridgeOptions {
  readonly bridge: string
  /** Which ways it mirrors: from the first to the second registry, back, or both. */
  readonly ways: readonly (readonly [from: Side, to: Side])[]
  readonly services?: ReadonlySet<string>
  readonly everyMs: number
  readonly holdMs: number
  readonly instancesMax: number
  /** Mirrors stay until their leases end. */
  readonly keep: boolean
}

/** Registrations may use this much of a round, so that the leases of others do not wait. */
const WRITING_MS = 20_000
/** A registry that is away is asked again at least this often: half the time in which leases end. */
const BACK_OFF = { msMin: 1_000, msMax: 20_000 }
/** What was refused, or deregistered by others. */
const RETRY_MS = 60_000
/** For the last deregistrations. */
const ENDING_MS = 10_000

/** How a registry answers. */
interface Contact {
  failures: number
  nextAt: number
  answered: boolean
}

/**
 * Runs until the signal is aborted, then takes its mirrors out; resolves to how many it could not, 0 where it was to keep them.
 * Rejects where a registry, at its first answer, is none.
 */
export async function runBridge(
  deps: BridgeDeps,
  options: BridgeOptions,
  signal: AbortSignal,
): Promise<number> {
  const { clock, random, report } = deps
  const { ways, bridge, services, instancesMax, holdMs, everyMs } = options
  const sides = [...new Set(ways.flat())]
  const contacts = new Map(sides.map((side) => [side, { failures: 0, nextAt: 0, answered: false }]))
  const lanes = ways.map(([from, to]) => ({
    from,
    to,
    direction: new Direction({
      from: from.kind,
      bridge,
      ...(services === undefined ? {} : { services }),
      instancesMax,
      fit: (seen) => to.fit(seen),
      forgets: from.forgets,
      holdMs,
      renewMs: to.renewMs,
      retryMs: RETRY_MS,
    }),
  }))
  const isWanted = (service: string): boolean => services?.has(service.toLowerCase()) !== false
  while (!signal.aborted) {
    const listings = new Map<Side, SideListing | undefined>()
    await Promise.all(
      sides.map(async (side) =>
        listings.set(side, await listOf(deps, side, contacts.get(side) as Contact, isWanted)),
      ),
    )
    if (signal.aborted) break
    report.round()
    await Promise.all(
      lanes.map(async ({ from, to, direction }) => {
        const contact = contacts.get(to) as Contact
        const work = direction.next(listings.get(from), listings.get(to), clock.now())
        if (clock.now() < contact.nextAt) return
        await attempt(deps, to, contact, () => write(clock, to, direction, work, signal))
        report.direction(from.kind, to.kind, direction.state())
      }),
    )
    for (const contact of contacts.values()) if (contact.nextAt <= clock.now()) contact.failures = 0
    const soonest = Math.min(
      ...[...contacts.values()].map(({ nextAt }) => nextAt - clock.now()).filter((ms) => ms > 0),
    )
    await sleep(clock, Math.min(roundMs(everyMs, random()), soonest), signal)
  }
  let stuck = 0
  for (const { from, to, direction } of lanes) {
    const left = options.keep ? direction.all() : await takeOut(clock, to, direction)
    report.ended(from.kind, to.kind, left.length, options.keep)
    if (!options.keep) stuck += left.length
  }
  return stuck
}

function listOf(
  deps: BridgeDeps,
  side: Side,
  contact: Contact,
  isWanted: (service: string) => boolean,
): Promise<SideListing | undefined> {
  if (deps.clock.now() < contact.nextAt) return Promise.resolve(undefined)
  return attempt(deps, side, contact, async () => {
    const listing = await side.list(isWanted)
    contact.answered = true
    deps.report.side(side.kind, undefined)
    return listing
  })
}

/** What a registry gives; undefined where it does not, and then it is left alone for a while. */
async function attempt<T>(
  { clock, random, report }: BridgeDeps,
  side: Side,
  contact: Contact,
  call: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await call()
  } catch (error) {
    if (!isRegistryError(error)) throw error
    // A wrong URL does not become right; a registry that answered before may be half way through a restart.
    if (error.code === 'protocol' && !contact.answered) throw error
    contact.failures++
    contact.nextAt = clock.now() + backOffMs(contact.failures, BACK_OFF, random())
    report.side(side.kind, error)
    return undefined
  }
}

/** Leases first: what is registered can wait for the next round. */
async function write(
  clock: Clock,
  to: Side,
  direction: Direction,
  work: BridgeWork,
  signal: AbortSignal,
): Promise<void> {
  const until = clock.now() + WRITING_MS
  const late = (): boolean => signal.aborted || clock.now() >= until
  const lost: MirroredInstance[] = []
  await to.renew(work.renew, late, (mirror, outcome) => {
    direction.renewed(mirror, outcome, clock.now())
    if (outcome === 'unknown') lost.push(mirror)
  })
  await to.remove(work.remove, late, (mirror) => direction.removed(mirror))
  const registered: ItemDone = (mirror, outcome) => direction.registered(mirror, outcome, clock.now())
  await to.register([...work.register, ...lost], late, registered)
}

/** Deregisters everything; resolves to what could not be. */
async function takeOut(clock: Clock, to: Side, direction: Direction): Promise<readonly MirroredInstance[]> {
  const until = clock.now() + ENDING_MS
  try {
    await to.remove(
      direction.all(),
      () => clock.now() >= until,
      (mirror) => direction.removed(mirror),
    )
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
  }
  return direction.all()
}
