/** Doubts about lists that shrink by silence. */
import type { Instance, Remove } from '@rollcall/wire'
import type { MirrorChange } from './mirror.js'
import { instanceKey } from '../machine/keys.js'
import type { ShrinkGuardOptions } from '../machine/settings.js'

interface Lost {
  readonly instance: Instance
  until: number
}

/**
 * Doubts lists that shrink by silence. An instance that was `up` or `suspect` and vanishes without a word
 * (expired, missing from a full view, or `down` for anything but a refusal) may be the registry's mistake: it
 * is remembered, and while more are missing in this way than are there, the missing are kept as a last resort.
 * What was deregistered or replaced is not missing, and what fails here is dropped for good.
 */
export class ShrinkGuard {
  private readonly options: ShrinkGuardOptions
  /** All on the list that can be called. */
  private readonly standing = new Map<string, Instance>()
  private readonly lost = new Map<string, Lost>()
  private counting = false
  private keptList: readonly Instance[] | undefined

  constructor(options: ShrinkGuardOptions) {
    this.options = options
  }

  /** The missing that may be called when no other can be. */
  get kept(): readonly Instance[] {
    this.keptList ??= this.tripped ? [...this.lost.values()].map((item) => item.instance) : []
    return this.keptList
  }

  private get tripped(): boolean {
    const { size } = this.lost
    // Beyond the bound they are not counted any more: better a last resort too many.
    return size > this.standing.size || (size > 0 && size >= this.options.keptMax)
  }

  /** Takes in what changed on the list. */
  update(now: number, { upserts, removes }: Pick<MirrorChange, 'upserts' | 'removes'>): void {
    for (const { instance, reason } of removes) {
      const key = instanceKey(instance)
      const known = this.standing.get(key) ?? instance
      this.standing.delete(key)
      if (reason === 'deregistered' || reason === 'replaced') this.lost.delete(key)
      else if (alive(known)) this.lose(now, key, instance)
    }
    for (const instance of upserts) this.put(now, instance)
    this.keptList = undefined
  }

  /** Reasons the registry gives for absences, also of those that vanished earlier. Returns whether one is explained. */
  explained(removes: readonly Remove[]): boolean {
    const { size } = this.lost
    if (size === 0) return false
    for (const remove of removes) {
      const lost = this.lost.get(instanceKey(remove))
      if (lost === undefined || remove.reason === 'expired' || remove.incarnation < lost.instance.incarnation)
        continue
      this.lost.delete(instanceKey(remove))
    }
    this.keptList = undefined
    return this.lost.size < size
  }

  /** A call to it failed. */
  drop(instance: Instance): void {
    if (this.lost.delete(instanceKey(instance))) this.keptList = undefined
  }

  /** The registry is away: time does not count against the missing. */
  pause(): void {
    this.counting = false
  }

  /** The registry vouches for the list (again). */
  resume(now: number): void {
    if (this.counting) return
    this.counting = true
    for (const lost of this.lost.values()) lost.until = now + this.options.keptMs
  }

  /** Lets go of those kept long enough. */
  expire(now: number): void {
    if (!this.counting) return
    const { size } = this.lost
    for (const [key, { until }] of this.lost) if (now >= until) this.lost.delete(key)
    if (this.lost.size < size) this.keptList = undefined
  }

  nextAt(): number | undefined {
    if (!this.counting) return undefined
    // All have the same time, so the first to come is the first to go.
    for (const { until } of this.lost.values()) return until
    return undefined
  }

  private put(now: number, instance: Instance): void {
    const key = instanceKey(instance)
    const before = this.standing.get(key)
    if (instance.state === 'up' || instance.state === 'suspect' || instance.state === 'draining') {
      this.standing.set(key, instance)
      this.lost.delete(key)
      return
    }
    this.standing.delete(key)
    // Two refusals are proof, not silence; `disabled` and `starting` are the word of an operator or of the instance.
    if (instance.state !== 'down' || instance.reason === 'refused') this.lost.delete(key)
    else if (before !== undefined && alive(before) && before.incarnation === instance.incarnation)
      this.lose(now, key, instance)
    else if (this.lost.get(key)?.instance.incarnation !== instance.incarnation) this.lost.delete(key)
  }

  private lose(now: number, key: string, instance: Instance): void {
    this.lost.delete(key)
    this.lost.set(key, { instance, until: now + this.options.keptMs })
    if (this.lost.size <= this.options.keptMax) return
    for (const oldest of this.lost.keys()) {
      this.lost.delete(oldest)
      break
    }
  }
}

function alive(instance: Instance): boolean {
  return instance.state === 'up' || instance.state === 'suspect'
}
