/** Settings of namespaces, by name: declared ones, and those of the configuration, which no declaration overrules. */
import type { NamespaceSettings } from '@rollcall/wire'
import { Ordered } from './ordered.js'

export class Namespaces {
  private readonly settings: Map<string, NamespaceSettings>
  private readonly configured: ReadonlySet<string>
  private readonly order = new Ordered<string>((name) => name)

  constructor(configured: Readonly<Record<string, NamespaceSettings>>) {
    this.settings = new Map(Object.entries(configured))
    this.configured = new Set(this.settings.keys())
    for (const name of this.configured) this.order.add(name)
  }

  get size(): number {
    return this.settings.size
  }

  get(namespace: string): NamespaceSettings | undefined {
    return this.settings.get(namespace)
  }

  /** The names from one on, in order. */
  from(name: string): IterableIterator<string> {
    return this.order.from(name)
  }

  isConfigured(namespace: string): boolean {
    return this.configured.has(namespace)
  }

  /** What is declared, or null. What the configuration says stands in spite of it. */
  set(namespace: string, settings: NamespaceSettings | null): void {
    if (this.configured.has(namespace)) return
    if (settings !== null) {
      if (!this.settings.has(namespace)) this.order.add(namespace)
      this.settings.set(namespace, settings)
    } else if (this.settings.delete(namespace)) this.order.delete(namespace)
  }
}
