/** What operators declare of services and namespaces. */
import { type ErrorBody, errorBody, type NamespaceSettings, type ServiceSettings } from '@rollcall/wire'
import { checkAllow, checkSettings } from '../admission/admission.js'
import type { Directory } from '../directory/directory.js'
import type { JournalEntry } from '../ports.js'

export interface DeclarationsDeps {
  readonly directory: Directory
  readonly persist: (entry: JournalEntry) => void
}

export interface DeclarationsOptions {
  /** Also the most namespaces that may be declared. */
  readonly servicesMax: number
  /** Namespaces whose settings come from the configuration and cannot be declared otherwise. */
  readonly namespaces: Readonly<Record<string, NamespaceSettings>>
}

export class Declarations {
  private readonly deps: DeclarationsDeps
  private readonly servicesMax: number
  /** Settings of namespaces, by name. */
  readonly namespaces: Map<string, NamespaceSettings>
  private readonly configured: ReadonlySet<string>

  constructor(deps: DeclarationsDeps, options: DeclarationsOptions) {
    this.deps = deps
    this.servicesMax = options.servicesMax
    this.namespaces = new Map(Object.entries(options.namespaces))
    this.configured = new Set(this.namespaces.keys())
  }

  /** Declares a service (settings) or takes the declaration back (null). */
  declare(namespace: string, service: string, settings: ServiceSettings | null): ErrorBody | undefined {
    const error =
      settings === null ? undefined : (checkSettings(settings) ?? this.noRoomFor(namespace, service))
    if (error !== undefined) return error
    this.deps.directory.declare(namespace, service, settings ?? undefined)
    this.deps.persist({ kind: 'service', namespace, service, settings })
    return undefined
  }

  declareNamespace(namespace: string, settings: NamespaceSettings | null): ErrorBody | undefined {
    const error = settings === null ? undefined : checkAllow(settings)
    if (error !== undefined) return error
    if (this.configured.has(namespace)) {
      const message = `namespace ${namespace} is set by the configuration of the node`
      return errorBody('invalid_argument', message, 'namespace')
    }
    if (settings !== null && !this.namespaces.has(namespace) && this.namespaces.size >= this.servicesMax) {
      return this.full()
    }
    this.setNamespace(namespace, settings)
    this.deps.persist({ kind: 'namespace', namespace, settings })
    return undefined
  }

  /** Takes in what a journal kept. What the configuration says is not overruled. */
  setNamespace(namespace: string, settings: NamespaceSettings | null): void {
    if (this.configured.has(namespace)) return
    if (settings === null) this.namespaces.delete(namespace)
    else this.namespaces.set(namespace, settings)
  }

  /** What a journal keeps. */
  *entries(): IterableIterator<JournalEntry> {
    for (const [namespace, settings] of this.namespaces) {
      if (!this.configured.has(namespace)) yield { kind: 'namespace', namespace, settings }
    }
    const { directory } = this.deps
    for (const { namespace, freeze } of directory.freezes.entries())
      yield { kind: 'freeze', namespace, freeze }
    for (const namespace of [...directory.namespaceNames()]) {
      for (const { service, settings } of directory.servicesOf(namespace)) {
        if (settings !== undefined) yield { kind: 'service', namespace, service, settings }
      }
    }
  }

  private noRoomFor(namespace: string, service: string): ErrorBody | undefined {
    const known = this.deps.directory.find(namespace, service) !== undefined
    return known || this.deps.directory.services < this.servicesMax ? undefined : this.full()
  }

  private full(): ErrorBody {
    const { servicesMax } = this
    const message = 'the node holds as many declarations as it may'
    return errorBody('limit_exceeded', message, undefined, { servicesMax })
  }
}
