/**
 * What repeated questions about one change refer to at each node: numbers of publications mean something at the node that counts
 * them only. Bounded; what is forgotten is asked about anew, which takes longer and is right.
 */

/** What one series of questions refers to. */
export interface AudiencePin {
  /** Revision of the engine that has the change; undefined while the engine does not. */
  revision: number | undefined
  /** At each node that had it: the publication from then, and when that was, on this node's clock. */
  readonly nodes: Map<string, { readonly seq: number; readonly at: number }>
}

const PINS_MAX = 1_000

export class AudiencePins {
  private readonly pins = new Map<string, AudiencePin>()

  /** What a question refers to; one that is not asked `again` begins anew. */
  of(key: string, again: boolean): AudiencePin {
    const known = this.pins.get(key)
    if (known !== undefined && again) return known
    const pin: AudiencePin = { revision: undefined, nodes: new Map() }
    this.pins.delete(key)
    this.pins.set(key, pin)
    for (const oldest of this.pins.keys()) {
      if (this.pins.size <= PINS_MAX) break
      this.pins.delete(oldest)
    }
    return pin
  }
}
