/**
 * Listeners to changes of the candidates of a service. They are called in a microtask of their own:
 * a listener may use the client freely, and one that throws is an uncaught exception, never a broken client.
 */
export class OfferListeners {
  private readonly listeners = new Set<() => void>()
  private told = true

  /** Adds a listener; the result takes it away, also when a call is already due. */
  add(listener: () => void): () => void {
    // A function of its own, so that one listener may be added twice.
    const own = (): void => listener()
    this.listeners.add(own)
    return () => void this.listeners.delete(own)
  }

  changed(): void {
    if (!this.told || this.listeners.size === 0) return
    this.told = false
    queueMicrotask(() => {
      this.told = true
      for (const listener of this.listeners) queueMicrotask(() => this.listeners.has(listener) && listener())
    })
  }

  /** No listener is called any more. */
  end(): void {
    this.listeners.clear()
  }
}
