import type { Session, SessionWatch } from '@rollcall/core'

/** What a session tells the driver of its node. */
export interface SessionKeeper {
  heardSession(watch: SessionWatch): void
  closeSession(watch: SessionWatch): void
}

/** A session as adapters hold it: what vouches for registrations, and the way to say how it fares. */
export class DriverSession implements Session {
  readonly id: string
  readonly watch: SessionWatch
  private readonly keeper: SessionKeeper

  constructor(id: string, watch: SessionWatch, keeper: SessionKeeper) {
    this.id = id
    this.watch = watch
    this.keeper = keeper
  }

  heard(): void {
    this.keeper.heardSession(this.watch)
  }

  close(): void {
    this.keeper.closeSession(this.watch)
  }
}
