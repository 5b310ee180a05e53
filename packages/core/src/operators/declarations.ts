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
import type {
  Declared,
  FreezeCommand,
  Kept,
  NamespaceDeclaration,
  ServiceDeclaration,
  ValueCommand,
} from '../commands.js'
import type { Follower } from '../directory/change.js'
import type { Directory } from '../directory/directory.js'
import { FREEZES_MAX } from '../directory/freezes.js'
import { VALUES_MAX } from '../directory/kept-values.js'
import type { ListingRoom } from '../directory/listing-room.js'
import type { Meter } from '../metrics.js'
import { type Declaration, declarationKey, type DeclarationKind } from '../records/declaration.js'
import { nextRegister, type Register, type Writer } from '../records/register.js'
import { Remembered } from '../records/remembered.js'

export interface DeclarationsOptions {
  /** As many of each are remembered when they were taken back. */
  readonly servicesMax: number
  readonly namespacesMax: number
  /** What was taken back is remembered this long. */
  readonly retentionMs: number
}

export interface DeclarationsDeps {
  readonly directory: Directory
  readonly room: ListingRoom
  readonly writer: Writer
  readonly meter: Meter
}

export class Declarations implements Follower {
  private readonly directory: Directory
  private readonly writer: Writer
  private readonly room: ListingRoom
  private readonly meter: Meter
  private readonly removed: Readonly<Record<DeclarationKind, Remembered<string>>>

  constructor(
    { directory, room, writer, meter }: DeclarationsDeps,
    { servicesMax, namespacesMax, retentionMs }: DeclarationsOptions,
  ) {
    this.directory = directory
    this.room = room
    this.meter = meter
    this.writer = writer
    this.removed = {
      service: new Remembered(retentionMs, servicesMax),
      namespace: new Remembered(retentionMs, namespacesMax),
      freeze: new Remembered(retentionMs, FREEZES_MAX),
      value: new Remembered(retentionMs, VALUES_MAX),
    }
  }

  declareService(
    { namespace, service, settings }: ServiceDeclaration,
    now: number,
    peer?: string,
  ): Declared | ErrorBody {
    const { directory } = this
    const known = directory.find(namespace, service)
    const existed = known?.settings !== undefined
    if (settings === null && !existed) return { existed }
    if (settings !== null) {
      const error = checkSettings(settings) ?? this.room.refusal({ namespace, service }, known)
      if (error !== undefined) return error
    }
    const register = this.next<ServiceSettings>(`service/${namespace}/${service}`, settings)
    return this.declare({ kind: 'service', namespace, service, register }, now, peer) ?? { existed }
  }

  declareNamespace(
    { namespace, settings }: NamespaceDeclaration,
    now: number,
    peer?: string,
  ): Declared | ErrorBody {
    const { namespaceSettings } = this.directory
    const existed = namespaceSettings.get(namespace) !== undefined
    const error = settings === null ? undefined : checkAllow(settings)
    if (error !== undefined) return error
    if (namespaceSettings.isConfigured(namespace)) {
      const message = `namespace ${namespace} is set by the configuration of the node`
      return errorBody('invalid_argument', message, 'namespace')
    }
    if (settings === null && !existed) return { existed }
    const full = existed ? undefined : this.room.declarationRefusal(namespaceSettings.size)
    if (full !== undefined) return full
    const register = this.next<NamespaceSettings>(`namespace/${namespace}`, settings)
    return this.declare({ kind: 'namespace', namespace, register }, now, peer) ?? { existed }
  }

  /** Keeps a value, or takes it back, or says why it cannot. */
  keepValue(
    { namespace, protocol, key, document, expected }: ValueCommand,
    now: number,
    peer?: string,
  ): Kept | ErrorBody {
    const { values } = this.directory
    const name = { namespace, protocol, key }
    const counter = values.get(name)?.counter ?? 0
    if (expected !== undefined && expected !== counter) return { kept: false }
    if (document === null && counter === 0) return { kept: true }
    const error = document === null ? undefined : values.refusal(name, document, this.meter)
    if (error !== undefined) return error
    // Above every other one, so that each write has a number of its own.
    const register = nextRegister({ counter: values.index }, document, this.writer)
    return this.declare({ kind: 'value', ...name, register }, now, peer) ?? { kept: true }
  }

  /** Freezes a namespace (or all, `*`), or says why that cannot be. */
  freeze({ namespace, by, why }: FreezeCommand, now: number): Declared | ErrorBody {
    const error = this.directory.freezes.refusal(namespace, this.meter)
    if (error !== undefined) return error
    const existed = this.directory.freezes.has(namespace)
    const register = this.next<true>(`freeze/${namespace}`, true, defined({ by, why }))
    this.directory.declare({ kind: 'freeze', namespace, register }, now)
    return { existed }
  }

  /** Ends the freeze of this very name. */
  unfreeze({ namespace, by, why }: FreezeCommand, now: number): Declared | ErrorBody {
    const fault = this.directory.freezes.fault(namespace)
    if (fault !== undefined) return fault
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

  /** Forgets what was taken back long enough ago. O(1) while nothing was. What an engine holds is over when it says so. */
  tick(now: number): void {
    if (this.directory.joined) return
    for (const removed of Object.values(this.removed))
      for (const key of removed.over(now)) this.directory.forgetDeclaration(key)
  }

  private next<T>(key: string, value: T | null, signature?: Signature): Register<T> {
    const stored = this.directory.declaration(key)?.register
    return nextRegister(stored, value, this.writer, signature)
  }

  /** Declares it, or says why there is no room for it. */
  private declare(declaration: Declaration, now: number, peer: string | undefined): ErrorBody | undefined {
    const error = this.directory.declarationRefusal(declaration, peer)
    if (error === undefined) this.directory.declare(declaration, now, peer)
    return error
  }
}
