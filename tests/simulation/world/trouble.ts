/**
 * What the world owes an endpoint or a client: while anything disturbs it, and for a recovery time afterwards, no
 * invariant may demand anything of it.
 */
export class Trouble {
  private active = 0
  private freeAt = 0
  private endedAt = -Infinity

  /** Something begins; the returned function ends it, and then `recoveryMs` are granted. */
  begin(clock: { readonly now: number }): (recoveryMs: number) => void {
    this.active++
    let over = false
    return (recoveryMs) => {
      if (over) return
      over = true
      this.active--
      this.endedAt = clock.now
      this.grant(clock.now + recoveryMs)
    }
  }

  /** Something short happens: nothing is demanded until `moment`. */
  grant(moment: number): void {
    this.freeAt = Math.max(this.freeAt, moment)
  }

  /** When it last went on, whatever is granted for it afterwards. */
  lastAt(now: number): number {
    return this.active > 0 ? now : this.endedAt
  }

  /** From when on demands may be made again; Infinity while something goes on. */
  get calmFrom(): number {
    return this.active > 0 ? Infinity : this.freeAt
  }
}
