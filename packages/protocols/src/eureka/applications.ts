/**
 * All applications as Eureka's clients see them, kept beside the registry: by name, by instance and by virtual address, with
 * what changed lately. It holds what the registry holds by reference, and renders nothing.
 */
import type { InstanceKey, Offer } from '@rollcall/core'
import type { NamespaceCopy } from '../foreign/namespace-reader.js'
import { readDocument } from './document.js'
import { type Fate, fatesOf, type LeasesDeps } from './leases.js'
import { appOf, instanceIdOf, statusesOf, toShown, vipTextsOf } from './mapping.js'
import type { Action, Said, Shown } from './messages.js'
import { hashOf, type Status } from './statuses.js'

/** An instance in the copy. */
export interface Held {
  readonly key: InstanceKey
  readonly offer: Offer
  readonly app: string
  readonly instanceId: string
  /** What is shown. */
  readonly status: Status
  /** What would be, if its lease were not over. */
  readonly spoken: Status
  readonly vips: readonly string[]
  readonly secureVips: readonly string[]
  readonly seenAt: number
  /** What its client was told; 0 for what came by another protocol. */
  readonly registeredAt: number
  readonly lastUpdated: number
  readonly evictedAt: number
  readonly action: Action
  /** When it last renewed, by the date, as clients are told, and by this node's own clock where that was here; no change of anything. */
  renewedAt: number
  heardAt: number | undefined
}

/** Instances of an application by their ids. What was written of it counts until it changes. */
export interface Application {
  readonly name: string
  readonly instances: Map<string, Held>
  /** Grows with each change of it, and no other one ever had it. */
  version: number
}

/** A change that is told for a while. */
interface Recent {
  readonly held: Held
  readonly at: number
}

export interface ApplicationsDeps {
  /** Monotonic, for how long a change is told. */
  now(): number
  /** Milliseconds since the epoch, for what clients are told. */
  wallNow(): number
  /** What is known of those that are silent. */
  readonly leases: LeasesDeps
}

/** What left and is told, beside as many as are there: what comes and goes without end holds no more. */
const LEFT_MAX = 10_000

/** How much of the time may be spent on looking at those that are silent: a tenth. */
const REST_FACTOR = 10

export class Applications implements NamespaceCopy {
  private readonly deps: ApplicationsDeps
  private readonly deltaMs: number
  private readonly apps = new Map<string, Application>()
  private readonly held = new Map<string, Held>()
  private readonly byId = new Map<string, Set<Held>>()
  private readonly byVip = new Map<string, Set<Held>>()
  private readonly bySecureVip = new Map<string, Set<Held>>()
  private readonly counts: Partial<Record<Status, number>> = {}
  /** Names of those whose silence is looked at when the copy is read, by their application. */
  private readonly silent = new Map<string, Set<string>>()
  /** They are not looked at again before then. */
  private restsUntil = -Infinity
  /** The last change of each, oldest first: of what is there, and of what left. */
  private readonly recents = new Map<string, Recent>()
  private readonly left = new Map<string, Recent>()
  /** Counts the versions of all applications. */
  private edition = 0
  /** Of the last change. Begins with the date, so that a client of an earlier boot holds none of this one's. */
  version: number

  constructor(deps: ApplicationsDeps, deltaMs: number) {
    this.deps = deps
    this.deltaMs = deltaMs
    this.version = Math.floor(deps.wallNow() / 1_000)
  }

  /** Whether there is nothing to tell, of what is or of what was. */
  get isEmpty(): boolean {
    return this.held.size === 0 && this.left.size === 0
  }

  /** How many renew here: those that did within their lease, and those that did and are silent now. Looks at all. */
  countRenewing(): number {
    const now = this.deps.now()
    let renewing = 0
    for (const held of this.held.values()) {
      const { heardAt, key, offer } = held
      if (heardAt === undefined) continue
      const { leaseMs } = offer.content
      const isHere = now - heardAt < leaseMs || (this.deps.leases.silence(key)?.silentMs ?? 0) >= leaseMs
      if (isHere) renewing++
      // It renews at another node.
      else held.heardAt = undefined
    }
    return renewing
  }

  /** `apps__hashcode` of all there is. */
  get hash(): string {
    return hashOf(this.counts)
  }

  all(): Iterable<Application> {
    return this.apps.values()
  }

  application(name: string): Application | undefined {
    return this.apps.get(name)
  }

  instance(app: string, instanceId: string): Held | undefined {
    return this.apps.get(app)?.instances.get(instanceId)
  }

  /** An instance by its id alone; of several applications any. */
  anywhere(instanceId: string): Held | undefined {
    return this.byId.get(instanceId)?.values().next().value
  }

  withVip(vip: string, secure: boolean): Iterable<Held> {
    return (secure ? this.bySecureVip : this.byVip).get(vip) ?? []
  }

  /** What changed lately: each instance as it is now, and behind them those that left, as they were. */
  *changed(): Generator<Held> {
    for (const recents of [this.recents, this.left]) for (const { held } of recents.values()) yield held
  }

  /** Notes that it renewed, where it is held. */
  renewed(key: InstanceKey): void {
    const held = this.held.get(nameOf(key))
    if (held === undefined) return
    held.renewedAt = this.deps.wallNow()
    held.heardAt = this.deps.now()
  }

  /** Takes over what is known of it before the feed was asked, where it is held. */
  refresh(key: InstanceKey, offer: Offer): void {
    if (this.held.has(nameOf(key))) this.put(key, offer)
  }

  shown(held: Held): Shown {
    return { ...toShown(held.key, held.offer, readDocument(held.offer), held), status: held.status }
  }

  reset(): void {
    const { apps, held, byId, byVip, bySecureVip, recents, left } = this
    for (const map of [apps, held, byId, byVip, bySecureVip, recents, left]) map.clear()
    this.silent.clear()
    this.restsUntil = -Infinity
    for (const status of Object.keys(this.counts)) this.counts[status as Status] = 0
    this.version++
  }

  put(key: InstanceKey, offer: Offer): void {
    const name = nameOf(key)
    const before = this.held.get(name)
    const stored = readDocument(offer)
    this.noteSilence(name, key, stored !== undefined && isSilent(offer))
    if (before !== undefined && isSame(before, offer, stored)) return
    const now = this.deps.wallNow()
    // What is listed for the first time was perhaps written by a client of another node, which said when.
    const times = {
      seenAt: before?.seenAt ?? now,
      lastUpdated: before === undefined ? (stored?.lastUpdated ?? now) : now,
      renewedAt: before?.renewedAt ?? stored?.registeredAt ?? now,
      heardAt: before?.heardAt,
      evictedAt: 0,
      action:
        before === undefined || isRegistered(before, offer, stored)
          ? ('ADDED' as const)
          : ('MODIFIED' as const),
    }
    this.replace(name, heldOf(key, offer, stored, times))
  }

  remove(key: InstanceKey): void {
    const name = nameOf(key)
    const before = this.held.get(name)
    this.noteSilence(name, key, false)
    if (before === undefined) return
    this.drop(name, before)
    const now = this.deps.wallNow()
    this.note(name, { ...before, evictedAt: now, lastUpdated: now, action: 'DELETED' })
  }

  *settled(): Generator<void> {
    const begunAt = this.deps.now()
    if (begunAt >= this.restsUntil) {
      for (const [app, names] of this.silent) yield* this.reconsider(app, names)
      const now = this.deps.now()
      this.restsUntil = now + REST_FACTOR * (now - begunAt)
    }
    const oldest = this.deps.now() - this.deltaMs
    for (const recents of [this.recents, this.left]) {
      for (const [name, { at }] of recents) {
        if (at >= oldest) break
        recents.delete(name)
        this.version++
        yield
      }
    }
  }

  /** Shows the silent ones of an application as Eureka's own times have it. */
  private *reconsider(app: string, names: ReadonlySet<string>): Generator<void> {
    const silent = [...names].flatMap((name) => this.held.get(name) ?? [])
    const fates = yield* fatesOf(this.deps.leases, silent, [
      ...(this.apps.get(app)?.instances.values() ?? []),
    ])
    for (const [held, fate] of fates) {
      this.fulfil(held, fate)
      yield
    }
  }

  private fulfil(held: Held, fate: Fate): void {
    if (fate === 'evicted') return this.remove(held.key)
    const status = fate === 'down' ? 'DOWN' : held.spoken
    if (status === held.status || this.held.get(nameOf(held.key)) !== held) return
    this.replace(nameOf(held.key), { ...held, status, lastUpdated: this.deps.wallNow(), action: 'MODIFIED' })
  }

  private noteSilence(name: string, { service }: InstanceKey, isNow: boolean): void {
    const app = appOf(service)
    const names = this.silent.get(app)
    if (isNow && names === undefined) this.silent.set(app, new Set([name]))
    else if (isNow) names?.add(name)
    else if (names?.delete(name) === true && names.size === 0) this.silent.delete(app)
  }

  private replace(name: string, held: Held): void {
    const before = this.held.get(name)
    if (before !== undefined) this.drop(name, before)
    this.held.set(name, held)
    this.add(held)
    this.note(name, held)
  }

  private note(name: string, held: Held): void {
    const { recents, left } = this
    for (const each of [recents, left]) each.delete(name)
    const isGone = held.action === 'DELETED'
    ;(isGone ? left : recents).set(name, { held, at: this.deps.now() })
    this.version++
    // A client that misses one has another hash, and fetches everything.
    const [oldest] = left.keys()
    if (oldest !== undefined && left.size > LEFT_MAX + this.held.size) left.delete(oldest)
  }

  private add(held: Held): void {
    const { app, instanceId, status } = held
    const application = this.apps.get(app) ?? { name: app, instances: new Map<string, Held>(), version: 0 }
    this.apps.set(app, application)
    application.instances.set(instanceId, held)
    application.version = ++this.edition
    this.counts[status] = (this.counts[status] ?? 0) + 1
    for (const [map, name] of this.places(held)) {
      const others = map.get(name)
      if (others === undefined) map.set(name, new Set([held]))
      else others.add(held)
    }
  }

  private drop(name: string, held: Held): void {
    const { app, instanceId, status } = held
    this.held.delete(name)
    const application = this.apps.get(app)
    if (application?.instances.get(instanceId) === held) {
      application.instances.delete(instanceId)
      application.version = ++this.edition
      if (application.instances.size === 0) this.apps.delete(app)
    }
    this.counts[status] = (this.counts[status] ?? 1) - 1
    for (const [map, place] of this.places(held)) {
      const others = map.get(place)
      others?.delete(held)
      if (others?.size === 0) map.delete(place)
    }
  }

  private *places(held: Held): Generator<[Map<string, Set<Held>>, string]> {
    yield [this.byId, held.instanceId]
    for (const vip of held.vips) yield [this.byVip, vip]
    for (const vip of held.secureVips) yield [this.bySecureVip, vip]
  }
}

/** Names of ours have no slash. */
function nameOf({ service, group, id }: InstanceKey): string {
  return `${service}/${group}/${id}`
}

/** Most virtual addresses of an instance that are looked up by. Usual are one or two. */
const VIPS_MAX = 32

function vipsOf(text: string | undefined): readonly string[] {
  return text === undefined || text === '' ? [] : [...new Set(text.split(',', VIPS_MAX))]
}

function statusOf(offer: Offer, stored: Said | undefined): Pick<Held, 'status' | 'spoken'> {
  const { status } = statusesOf(offer, stored)
  return { status, spoken: status }
}

type Times = Pick<Held, 'seenAt' | 'lastUpdated' | 'renewedAt' | 'heardAt' | 'evictedAt' | 'action'>

function heldOf(key: InstanceKey, offer: Offer, stored: Said | undefined, times: Times): Held {
  const app = appOf(key.service)
  const texts = stored?.texts ?? vipTextsOf(key)
  return {
    key,
    offer,
    app,
    instanceId: instanceIdOf(key),
    registeredAt: stored?.registeredAt ?? 0,
    ...statusOf(offer, stored),
    vips: vipsOf(texts.vipAddress),
    secureVips: vipsOf(texts.secureVipAddress),
    ...times,
  }
}

/** Whether the registry doubts it, or has given it up. */
function isSilent({ instance: { state } }: Offer): boolean {
  return state === 'suspect' || state === 'down'
}

/** Whether its clients see no difference. */
function isSame(before: Held, offer: Offer, stored: Said | undefined): boolean {
  const { instance, override } = before.offer
  return (
    before.offer.content === offer.content &&
    instance.incarnation === offer.instance.incarnation &&
    instance.weight === offer.instance.weight &&
    override === offer.override &&
    before.spoken === statusesOf(offer, stored).status &&
    // What is not silent any more is shown as its client says again.
    (before.status === before.spoken || isSilent(offer))
  )
}

/** Whether it registered again, or has other metadata, which counts as that. Another status alone is no registration. */
function isRegistered(before: Held, { content }: Offer, stored: Said | undefined): boolean {
  const { metadata } = before.offer.content
  return (
    stored !== undefined && (stored.registeredAt !== before.registeredAt || content.metadata !== metadata)
  )
}
