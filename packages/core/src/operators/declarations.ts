/**
 * What operators declare of services and namespaces, and which namespaces they freeze: checked, then declared. What was
 * taken back is remembered for the retention, so that it wins over older replicas. As many as may stand are remembered
 * of each kind; beyond that the oldest removal is forgotten early.
 */
import {
  defined,
  type ErrorBody,
  errorBody,
  type NamespaceSettings,
  type ServiceSettings,
  type Signature,
} from '@rollcall/wire'
import { checkAllow, checkSettings } from '../admission/admission.js'
import type { Declared, FreezeCommand, NamespaceDeclaration, ServiceDeclaration } from '../commands.js'
import type { Follower } from '../directory/change.js'
import type { Directory } from '../directory/directory.js'
import { FREEZES_MAX } from '../directory/freezes.js'
import { type Declaration, declarationKey, type DeclarationKind } from '../records/declaration.js'
import { nextRegister, type Register, type Writer } from '../records/register.js'
import { Remembered } from '../records/remembered.js'

export interface DeclarationsOptions {
  /** Also the most namespaces that may be declared. */
  readonly servicesMax: number
  /** What was taken back is remembered this long. */
  readonly retentionMs: number
}

export class Declarations implements Follower {
  private readonly directory: Directory
  private readonly writer: Writer
  private readonly servicesMax: number
  private readonly removed: Readonly<Record<DeclarationKind, Remembered<string>>>

  constructor(directory: Directory, writer: Writer, { servicesMax, retentionMs }: DeclarationsOptions) {
    this.directory = directory
    this.writer = writer
    this.servicesMax = servicesMax
    this.removed = {
      service: new Remembered(retentionMs, servicesMax),
      namespace: new Remembered(retentionMs, servicesMax),
      freeze: new Remembered(retentionMs, FREEZES_MAX),
    }
  }

  declareService({ namespace, service, settings }: ServiceDeclaration, now: number): Declared | ErrorBody {
    const { directory } = this
    const known = directory.find(namespace, service)
    const existed = known?.settings !== undefined
    if (settings === null && !existed) return { existed }
    if (settings !== null) {
      const room = known?.listed === true || directory.listing.size < this.servicesMax
      const error = checkSettings(settings) ?? (room ? undefined : this.full())
      if (error !== undefined) return error
    }
    const register = this.next<ServiceSettings>(`service/${namespace}/${service}`, settings)
    directory.declare({ kind: 'service', namespace, service, register }, now)
    return { existed }
  }

  declareNamespace({ namespace, settings }: NamespaceDeclaration, now: number): Declared | ErrorBody {
    const { namespaceSettings } = this.directory
    const existed = namespaceSettings.get(namespace) !== undefined
    const error = settings === null ? undefined : checkAllow(settings)
    if (error !== undefined) return error
    if (namespaceSettings.isConfigured(namespace)) {
      const message = `namespace ${namespace} is set by the configuration of the node`
      return errorBody('invalid_argument', message, 'namespace')
    }
    if (settings === null && !existed) return { existed }
    if (!existed && namespaceSettings.size >= this.servicesMax) return this.full()
    const register = this.next<NamespaceSettings>(`namespace/${namespace}`, settings)
    this.directory.declare({ kind: 'namespace', namespace, register }, now)
    return { existed }
  }

  /** Freezes a namespace (or all, `*`), or says why that cannot be. */
  freeze({ namespace, by, why }: FreezeCommand, now: number): Declared | ErrorBody {
    const error = this.directory.freezes.refusal(namespace)
    if (error !== undefined) return error
    const existed = this.directory.freezes.has(namespace)
    const register = this.next<true>(`freeze/${namespace}`, true, defined({ by, why }))
    this.directory.declare({ kind: 'freeze', namespace, register }, now)
    return { existed }
  }

  /** Ends the freeze of this very name. */
  unfreeze({ namespace, by, why }: FreezeCommand, now: number): Declared {
    const existed = this.directory.freezes.has(namespace)
    if (!existed) return { existed }
    const register = this.next<true>(`freeze/${namespace}`, null, defined({ by, why }))
    this.directory.declare({ kind: 'freeze', namespace, register }, now)
    return { existed }
  }

  declared(declaration: Declaration, now: number): void {
    const removed = this.removed[declaration.kind]
    if (declaration.register.value === null) removed.note(declarationKey(declaration), now)
    else removed.drop(declarationKey(declaration))
  }

  /** Forgets what was taken back long enough ago. O(1) while nothing was. */
  tick(now: number): void {
    for (const removed of Object.values(this.removed))
      for (const key of removed.over(now)) this.directory.forgetDeclaration(key)
  }

  private next<T>(key: string, value: T | null, signature?: Signature): Register<T> {
    const stored = this.directory.declaration(key)?.register
    return nextRegister(stored, value, this.writer, signature)
  }

  private full(): ErrorBody {
    const { servicesMax } = this
    const message = 'the node holds as many declarations as it may'
    return errorBody('limit_exceeded', message, undefined, { servicesMax })
  }
}
