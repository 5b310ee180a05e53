/** What changes the registry: registration, renewal, cancelling, overrides of the status, metadata. */
import type { Caller, InstanceKey, Offer, Queries, RegisterCommand, Registry } from '@rollcall/core'
import { type ErrorBody, RegistryError } from '@rollcall/wire'
import type { Applications } from './applications.js'
import { PROTOCOL, readBrief, readDocument } from './document.js'
import { appName, keyOf, statusesOf, toRegisterCommand } from './mapping.js'
import type { Said } from './messages.js'
import type { EurekaOptions } from './options.js'
import type { Renewals } from './renewals.js'
import { isOutdated, renewed } from './renewing.js'
import { isStatus, type Status } from './statuses.js'

export interface EurekaCommandsDeps {
  readonly registry: Pick<Registry, 'execute' | 'heard' | 'read'>
  readonly applications: Pick<Applications, 'renewed' | 'refresh'>
  readonly renewals: Renewals
  wallNow(): number
}

/** What is asked of one instance. */
export interface AskedInstance {
  readonly app: string
  readonly id: string
  readonly query: ReadonlyMap<string, string>
  readonly caller: Caller
}

type Bounds = Required<Pick<EurekaOptions, 'leaseMsMin' | 'leaseMsMax'>>

/** An instance that the registry lists, with what a client of Eureka said of it, if one did. */
interface Found {
  readonly key: InstanceKey
  readonly offer: Offer
  readonly stored: Said | undefined
}

export class EurekaCommands {
  private readonly deps: EurekaCommandsDeps
  private readonly bounds: Bounds

  constructor(deps: EurekaCommandsDeps, bounds: Bounds) {
    this.deps = deps
    this.bounds = bounds
  }

  /** Registers what a client said. Throws what Eureka's server answers with 400. */
  async register(app: string, said: Said, caller: Caller): Promise<void> {
    const fault = faultOf(said, app)
    if (fault !== undefined) throw invalid(fault)
    const key = keyOf(app, instanceIdOf(said) ?? '')
    if (key === undefined) throw invalid('the name or the instance id is too long, or no Unicode')
    const offer = this.read(caller).offer(key)
    const stored = offer === undefined ? undefined : readDocument(offer)
    if (isOutdated(said, stored) && this.beat(key, caller)) return
    await this.store(key, renewed(said, offer, this.deps.wallNow()), caller)
  }

  /** 200, or 404 upon which the client registers again. */
  renew({ app, id, query, caller }: AskedInstance): 200 | 404 {
    const key = keyOf(app, id)
    if (key === undefined) return 404
    const before = this.read(caller).offer(key)
    const brief = before === undefined ? undefined : readBrief(before)
    // Its override was taken back: only the client knows what it is.
    if (before !== undefined && statusesOf(before, brief).status === 'UNKNOWN') return 404
    if (!this.beat(key, caller)) return 404
    this.deps.renewals.count()
    // What had expired is listed again.
    const stored = before === undefined ? this.find(key, caller)?.stored : brief
    return Number(query.get('lastDirtyTimestamp') ?? 0) > (stored?.lastDirty ?? Infinity) ? 404 : 200
  }

  async cancel({ app, id, caller }: AskedInstance): Promise<200 | 404> {
    const key = keyOf(app, id)
    if (key === undefined) return 404
    const found = this.find(key, caller)
    // What left is told as it was at last, which no lookup may have seen.
    if (found !== undefined) this.deps.applications.refresh(key, found.offer)
    // Eureka's own overrides end with the instance; those of other operators bind to its id.
    if (found !== undefined && found.offer.override?.by === PROTOCOL) await this.setOut(found, false, caller)
    const { answer } = await this.deps.registry.execute({ kind: 'deregister', refs: [key] }, caller)
    return answer.removed.length > 0 ? 200 : 404
  }

  /** Overrides the status. Eureka's server fails with 500 for words that are none. */
  async putStatus({ app, id, query, caller }: AskedInstance): Promise<200 | 404 | 500> {
    const found = this.beaten(app, id, caller)
    if (found === undefined) return 404
    const value = query.get('value')
    if (!isStatus(value)) return 500
    const { status } = statusesOf(found.offer, found.stored)
    if (status === value) return 200
    await this.override(found, value, query, caller)
    return 200
  }

  private async override(
    found: Found,
    value: Status,
    query: AskedInstance['query'],
    caller: Caller,
  ): Promise<void> {
    const { key, offer, stored } = found
    const isOut = offer.override?.value?.drain === true
    if (value === 'OUT_OF_SERVICE') return this.setOut(found, true, caller)
    if (isOut) await this.setOut(found, false, caller)
    if (stored === undefined) {
      // Its provider speaks another protocol: what it says itself cannot be put into its mouth.
      if (value === 'UP') return
      throw invalid(`${key.id} did not register by Eureka: its status can be UP or OUT_OF_SERVICE only`)
    }
    const next = { ...stored, status: value, overriddenStatus: value }
    await this.store(key, this.touched(next, query), caller)
  }

  /** Takes the override back. The status is the one that is named, else unknown until the client registers again. */
  async deleteStatus({ app, id, query, caller }: AskedInstance): Promise<200 | 404 | 500> {
    const found = this.beaten(app, id, caller)
    if (found === undefined) return 404
    const value = query.get('value') ?? 'UNKNOWN'
    if (!isStatus(value)) return 500
    const { key, offer, stored } = found
    const { overridden } = statusesOf(offer, stored)
    if (overridden === 'UNKNOWN') return 200
    if (offer.override?.value?.drain === true) await this.setOut(found, false, caller)
    if (stored !== undefined) {
      const next = { ...stored, status: value, overriddenStatus: 'UNKNOWN' as const }
      await this.store(key, this.touched(next, query), caller)
    }
    return 200
  }

  async putMetadata({ app, id, query, caller }: AskedInstance): Promise<200 | 404> {
    const found = this.beaten(app, id, caller)
    if (found === undefined) return 404
    const { key, stored } = found
    if (stored === undefined)
      throw invalid(`${key.id} did not register by Eureka: its metadata is that of its provider`)
    const added = [...query].filter(([name]) => name !== '__proto__')
    const metadata = { ...stored.metadata, ...Object.fromEntries(added) }
    await this.store(key, { ...stored, metadata, lastUpdated: this.deps.wallNow() }, caller)
    return 200
  }

  /** The client's own time counts only where it is later. */
  private touched(said: Said, query: AskedInstance['query']): Said {
    const dirty = Number(query.get('lastDirtyTimestamp') ?? 0)
    const isLater = Number.isSafeInteger(dirty) && dirty > (said.lastDirty ?? 0)
    return { ...said, lastUpdated: this.deps.wallNow(), ...(isLater ? { lastDirty: dirty } : {}) }
  }

  /** Drains the instance as an operator does, or ends that; what operators want beside it stays. */
  private async setOut({ key, offer }: Found, drain: boolean, caller: Caller): Promise<void> {
    const { disable = false, weight } = offer.override?.value ?? {}
    const isForThis = weight?.incarnation === offer.instance.incarnation
    const wishes = { ...(disable ? { disable } : {}), ...(isForThis ? { weight: weight.value } : {}) }
    const signed = { refs: [key], by: PROTOCOL }
    const { answer } =
      drain || Object.keys(wishes).length > 0
        ? await this.deps.registry.execute({ kind: 'override', ...signed, ...wishes, drain }, caller)
        : await this.deps.registry.execute({ kind: 'clearOverrides', ...signed }, caller)
    for (const result of answer) if (!result.ok) throw thrown(result.error)
  }

  private async store(key: InstanceKey, said: Said, caller: Caller): Promise<void> {
    const items: RegisterCommand[] = [toRegisterCommand(key, said, this.bounds)]
    const { answer } = await this.deps.registry.execute({ kind: 'register', items }, caller)
    for (const result of answer) if (!result.ok) throw thrown(result.error)
    this.deps.applications.renewed(key)
  }

  /** The instance, after a sign of life for it: Eureka counts these as one. */
  private beaten(app: string, id: string, caller: Caller): Found | undefined {
    const key = keyOf(app, id)
    if (key === undefined) return undefined
    const found = this.find(key, caller)
    // An instance of another protocol lives by its own word.
    if (found?.stored !== undefined) this.beat(key, caller)
    return found
  }

  /** Whether it was known. */
  private beat(key: InstanceKey, caller: Caller): boolean {
    const { unknown, deregistered, superseded, errors } = this.deps.registry.heard([key], caller)
    const refused = unknown.length + deregistered.length + superseded.length + (errors?.length ?? 0)
    if (refused === 0) this.deps.applications.renewed(key)
    return refused === 0
  }

  private find(key: InstanceKey, caller: Caller): Found | undefined {
    const offer = this.read(caller).offer(key)
    return offer === undefined ? undefined : { key, offer, stored: readDocument(offer) }
  }

  private read(caller: Caller): Queries {
    return this.deps.registry.read(caller)
  }
}

function thrown({ code, message, field, details }: ErrorBody): RegistryError {
  return new RegistryError(code, message, {
    ...(field === undefined ? {} : { field }),
    ...(details === undefined ? {} : { details }),
  })
}

function invalid(message: string): RegistryError {
  return new RegistryError('invalid_argument', message)
}

/** As Eureka's server finds it. */
function instanceIdOf({ instanceId, dataCenter, hostName }: Said): string | undefined {
  return firstSaid(instanceId, dataCenter?.metadata?.['instance-id'], hostName)
}

function firstSaid(...texts: readonly (string | undefined)[]): string | undefined {
  return texts.find((each) => each !== undefined && each !== '')
}

/** What is missing, in the order and the words of Eureka's server. */
function faultOf(said: Said, app: string): string | undefined {
  if (instanceIdOf(said) === undefined) return 'Missing instanceId'
  if (firstSaid(said.hostName) === undefined) return 'Missing hostname'
  if (firstSaid(said.ipAddr) === undefined) return 'Missing ip address'
  if (firstSaid(said.app) === undefined) return 'Missing appName'
  if (appName(said.app ?? '') !== appName(app))
    return `Mismatched appName, expecting ${app} but was ${said.app}`
  if (said.dataCenter === undefined) return 'Missing dataCenterInfo'
  return firstSaid(said.dataCenter.name) === undefined ? 'Missing dataCenterInfo Name' : undefined
}
