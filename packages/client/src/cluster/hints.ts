/** Failed calls, told to the registry. */
import type { Instance, InstanceRef } from '@rollcall/wire'
import type { ClusterTurn } from './events.js'
import type { Outbox } from './outbox.js'
import { refOf } from './registration-entry.js'
import type { MachineSettings } from '../machine/settings.js'
import { nameOf } from '../machine/keys.js'

/** Between two messages: what fails together is told together. */
const WINDOW_MS = 100

/** Most instances in one message; more are left out, they will fail again. */
const ITEMS_MAX = 100

/**
 * Tells the registry which instances calls could not reach, so that it asks them itself. A hint is worth something only
 * while it is fresh: without a connection it is dropped.
 */
export class Hints {
  private readonly settings: MachineSettings
  private readonly outbox: Outbox
  private readonly pending = new Map<string, InstanceRef>()
  /** When each instance was told last, oldest first. Bounded: what is older than the gap goes. */
  private readonly toldAt = new Map<string, number>()
  private notBefore = 0

  constructor(settings: MachineSettings, outbox: Outbox) {
    this.settings = settings
    this.outbox = outbox
  }

  /** A call to an instance that the registry lists failed. */
  add(turn: ClusterTurn, instance: Instance): void {
    const key = nameOf(instance)
    if (!this.outbox.usable || this.pending.size >= ITEMS_MAX) return
    if (turn.now < (this.toldAt.get(key) ?? -Infinity) + this.settings.times.hintMs) return
    const { incarnation } = instance
    this.pending.set(key, { ...refOf(instance, this.settings.namespace), incarnation })
  }

  /** The connection is gone. */
  down(): void {
    this.pending.clear()
  }

  tick(turn: ClusterTurn): void {
    if (this.pending.size === 0 || turn.now < this.notBefore || !this.outbox.usable) return
    const { now } = turn
    for (const [key, at] of this.toldAt) {
      if (now < at + this.settings.times.hintMs) break
      this.toldAt.delete(key)
    }
    for (const key of this.pending.keys()) this.toldAt.set(key, now)
    const instances = [...this.pending.values()]
    this.pending.clear()
    this.notBefore = now + WINDOW_MS
    this.outbox.request(turn, (req) => ({ type: 'hint', req, instances }))
  }

  deadline(): number | undefined {
    return this.pending.size === 0 ? undefined : this.notBefore
  }
}
