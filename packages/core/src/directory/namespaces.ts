/** Settings of namespaces, by name: declared ones, and those of the configuration, which no declaration overrules. */
import type { NamespaceSettings } from '@rollcall/wire'

export class Namespaces {
  private readonly settings: Map<string, NamespaceSettings>
  private readonly configured: ReadonlySet<string>

  constructor(configured: Readonly<Record<string, NamespaceSettings>>) {
    this.settings = new Map(Object.entries(configured))
    this.configured = new Set(this.settings.keys())
  }

  get size(): number {
    return this.settings.size
  }

  get(namespace: string): NamespaceSettings | undefined {
    return this.settings.get(namespace)
  }

  names(): Iterable<string> {
    return this.settings.keys()
  }

  isConfigured(namespace: string): boolean {
    return this.configured.has(namespace)
  }

  /** What is declared, or null. What the configuration says stands in spite of it. */
  set(namespace: string, settings: NamespaceSettings | null): void {
    if (this.configured.has(namespace)) return
    if (settings === null) this.settings.delete(namespace)
    else this.settings.set(namespace, settings)
  }
}
