/** Which services a client watches, for whom, and how many it may. */
import { RegistryError } from '@rollcall/wire'
import type { Service } from './api.js'
import type { Clock, Logger } from './machine/ports.js'
import { ServiceHandle } from './service-handle.js'
import type { ServiceWatch } from './service.js'

/** Most services watched until they are closed. */
export const SERVICES_MAX = 10_000

/** Most services watched for as long as they are used: a share of their own, so that strangers use up no other. */
export const IDLE_SERVICES_MAX = 1_000

/** What services work with. */
export interface ServiceHandlesDeps {
  readonly clock: Clock
  readonly logger: Logger
  /** The last handle was closed: the watch ends. */
  readonly unwatch: (key: string, reason: RegistryError) => void
}

interface Watched {
  readonly watch: ServiceWatch
  /** Open handles, and those of them that stay until they are closed. */
  handles: number
  lasting: number
}

interface IdleHandle {
  readonly handle: ServiceHandle
  readonly idleMs: number
}

/** The watched services of a client and the handles of each. */
export class ServiceHandles {
  private readonly deps: ServiceHandlesDeps
  private readonly watched = new Map<string, Watched>()
  private readonly idle = new Map<string, IdleHandle>()
  /** How many have a lasting handle. */
  private lasting = 0
  private warned = false
  private over = false
  private dueAt = Number.POSITIVE_INFINITY
  private cancelTimer: (() => void) | undefined

  constructor(deps: ServiceHandlesDeps) {
    this.deps = deps
  }

  get(key: string): ServiceWatch | undefined {
    return this.watched.get(key)?.watch
  }

  all(): readonly ServiceWatch[] {
    return [...this.watched.values()].map(({ watch }) => watch)
  }

  /** A handle that stays until it is closed; `create` makes the watch of one that is not watched yet. */
  open(key: string, create: () => ServiceWatch): Service {
    if ((this.watched.get(key)?.lasting ?? 0) === 0 && this.lasting >= SERVICES_MAX)
      throw this.full(
        `${SERVICES_MAX} services are watched, which is the most: close() those that are not needed`,
      )
    return this.handle(key, create, true)
  }

  /** The handle for all who use it as long as they use it. */
  openIdle(key: string, create: () => ServiceWatch, idleMs: number): Service {
    const known = this.idle.get(key)?.handle
    if (known !== undefined) {
      known.touch()
      return known
    }
    if (this.idle.size >= IDLE_SERVICES_MAX) this.makeRoom()
    const handle = this.handle(key, create, false)
    if (this.over) return handle
    this.idle.set(key, { handle, idleMs })
    this.sweepAt(this.deps.clock.now() + idleMs)
    return handle
  }

  /** Ends everything: the client is closed. */
  close(): void {
    this.over = true
    this.cancelTimer?.()
    for (const { watch } of this.watched.values()) watch.close()
    this.watched.clear()
    this.idle.clear()
  }

  private handle(key: string, create: () => ServiceWatch, lasting: boolean): ServiceHandle {
    const watched = this.watched.get(key) ?? { watch: create(), handles: 0, lasting: 0 }
    if (!this.over) this.watched.set(key, watched)
    watched.handles += 1
    if (lasting) {
      watched.lasting += 1
      if (watched.lasting === 1) this.lasting += 1
    }
    const { watch } = watched
    const { clock } = this.deps
    return new ServiceHandle({ watch, clock, closed: (reason) => this.closed(key, watched, lasting, reason) })
  }

  private closed(key: string, watched: Watched, lasting: boolean, reason: RegistryError): void {
    if (this.watched.get(key) !== watched) return
    watched.handles -= 1
    if (lasting) {
      watched.lasting -= 1
      if (watched.lasting === 0) this.lasting -= 1
    } else this.idle.delete(key)
    if (watched.handles > 0) return
    this.watched.delete(key)
    watched.watch.end(reason)
    this.deps.unwatch(key, reason)
  }

  private sweepAt(at: number): void {
    if (at >= this.dueAt) return
    this.cancelTimer?.()
    this.dueAt = at
    this.cancelTimer = this.deps.clock.setTimer(at - this.deps.clock.now(), () => this.sweep())
  }

  /** Closes what was not used for as long as its user said. */
  private sweep(): void {
    this.dueAt = Number.POSITIVE_INFINITY
    const now = this.deps.clock.now()
    for (const { handle, idleMs } of this.idle.values()) {
      const due = (handle.inUse ? now : handle.usedAt) + idleMs
      if (due <= now) handle.close()
      else this.sweepAt(due)
    }
  }

  /** Closes the one that was used least recently. */
  private makeRoom(): void {
    let oldest: ServiceHandle | undefined
    for (const { handle } of this.idle.values())
      if (!handle.inUse && (oldest === undefined || handle.usedAt < oldest.usedAt)) oldest = handle
    if (oldest === undefined)
      throw this.full(`${IDLE_SERVICES_MAX} services named by requests are in use, which is the most`)
    this.warn('as many services named by requests are watched as may be: the one used least recently goes')
    oldest.close()
  }

  private full(message: string): RegistryError {
    this.warn('as many services are watched as may be: more are refused')
    return new RegistryError('limit_exceeded', message, {
      details: { watchesMax: SERVICES_MAX, idleMax: IDLE_SERVICES_MAX },
    })
  }

  /** Once: who is at a bound stays there. */
  private warn(message: string): void {
    if (this.warned) return
    this.warned = true
    this.deps.logger.warn({ services: this.lasting, idle: this.idle.size }, message)
  }
}
