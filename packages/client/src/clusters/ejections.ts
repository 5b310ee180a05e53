/** The instances that failed here. */
import type { Instance } from '@rollcall/wire'
import { instanceKey, samePeer } from '../machine/keys.js'
import type { FailureKind } from '../machine/events.js'
import type { EjectionOptions } from '../machine/settings.js'

/** Why an instance is not one of those that take calls: for some time, or but for one trial call. */
export type Ejection = 'out' | 'trial'

interface Fault {
  readonly instance: Instance
  /** In a row. */
  failures: number
  /** In a row; each doubles the time out. */
  ejections: number
  /** Not called before; afterwards on trial until a call succeeds. 0 before the first ejection. */
  until: number
  /** A trial call is under way until then, or until its outcome is known. */
  trialUntil: number
}

/** The instances that failed here. Bounded by the instances it is asked to retain. */
export class Ejections {
  private readonly options: EjectionOptions
  private readonly faults = new Map<string, Fault>()

  constructor(options: EjectionOptions) {
    this.options = options
  }

  /** Whether nothing is held against any instance. */
  get empty(): boolean {
    return this.faults.size === 0
  }

  /** Forgets all but these: a new incarnation or address is another process, and not to blame for the old one. */
  retain(present: Iterable<Instance>): void {
    if (this.faults.size === 0) return
    const byKey = new Map<string, Instance>()
    for (const instance of present) byKey.set(instanceKey(instance), instance)
    for (const [key, fault] of this.faults)
      if (!samePeer(byKey.get(key), fault.instance)) this.faults.delete(key)
  }

  failed(now: number, instance: Instance, kind: FailureKind): void {
    const key = instanceKey(instance)
    let fault = this.faults.get(key)
    if (fault === undefined) {
      fault = { instance, failures: 0, ejections: 0, until: 0, trialUntil: 0 }
      this.faults.set(key, fault)
    }
    fault.failures += 1
    // Failures of calls that were under way together eject once.
    if (now < fault.until) return
    const { failuresMax, ejectMsMin, ejectMsMax } = this.options
    if (kind !== 'unreachable' && fault.ejections === 0 && fault.failures < failuresMax) return
    fault.until = now + Math.min(ejectMsMax, ejectMsMin * 2 ** Math.min(fault.ejections, 30))
    fault.ejections += 1
    fault.trialUntil = 0
  }

  /** The instance answered: nothing is held against it any more. Returns whether anything was. */
  succeeded(instance: Instance): boolean {
    return this.faults.size > 0 && this.faults.delete(instanceKey(instance))
  }

  /** An instance on trial was given a call: no other until its outcome is known. */
  trying(now: number, instance: Instance): void {
    const fault = this.faults.get(instanceKey(instance))
    if (fault !== undefined && fault.ejections > 0) fault.trialUntil = now + this.options.trialMs
  }

  /** Those of `all` that are ejected: never more than half of them, rounded down, the latest first. */
  among(now: number, all: readonly Instance[]): ReadonlyMap<Instance, Ejection> {
    const out = new Map<Instance, Ejection>()
    if (this.faults.size === 0) return out
    const ejected = all
      .map((instance) => ({ instance, fault: this.faults.get(instanceKey(instance)) }))
      .filter((item) => item.fault !== undefined && item.fault.ejections > 0)
      .sort((a, b) => b.fault!.until - a.fault!.until)
    for (const { instance } of ejected.slice(0, Math.floor(all.length / 2)))
      out.set(instance, this.of(now, instance)!)
    return out
  }

  /** Whether an instance is ejected; undefined when it is not. The bound of `among` is not counted here. */
  of(now: number, instance: Instance): Ejection | undefined {
    const fault = this.faults.get(instanceKey(instance))
    if (fault === undefined || fault.ejections === 0) return undefined
    return now < Math.max(fault.until, fault.trialUntil) ? 'out' : 'trial'
  }

  /** Whether calling the instance now is next to pointless. */
  hopeless(now: number, instance: Instance): boolean {
    const fault = this.faults.get(instanceKey(instance))
    return fault !== undefined && now < fault.until && fault.failures >= this.options.hopelessFailures
  }

  /** Whether that is so for each of them, of whom there is at least one. */
  allHopeless(now: number, instances: readonly Instance[]): boolean {
    return this.faults.size > 0 && instances.every((instance) => this.hopeless(now, instance))
  }

  /** When the answer of `among` or `hopeless` next changes by itself. */
  nextAt(now: number): number | undefined {
    let next: number | undefined
    for (const { until, trialUntil } of this.faults.values()) {
      for (const moment of [until, trialUntil])
        if (moment > now && (next === undefined || moment < next)) next = moment
    }
    return next
  }
}
