/**
 * What changes the registry, as data: each command by its kind, and what it is answered. How durable an answer is
 * stands beside it (`Done`), once for the whole command.
 */
import type {
  DeregisterResponse,
  Durability,
  Intent,
  Liveness,
  NamespaceSettings,
  Overridden,
  Probe,
  Refused,
  Registered,
  ResolvedRef,
  RestoreReason,
  RestoreResponse,
  ServiceSettings,
  Signature,
} from '@rollcall/wire'
import type { Foreign, InstanceKey } from './records/record.js'

/** A registration whose shape is right and whose defaults are filled in; the core checks names and limits. */
export interface RegisterCommand extends InstanceKey {
  readonly host: string
  readonly port: number
  readonly protocol?: string
  readonly weight: number
  readonly zone?: string
  readonly metadata: Readonly<Record<string, string>>
  readonly intent: Intent
  readonly leaseMs: number
  readonly liveness: Liveness
  readonly probe?: Probe
  /** By an adapter only: what its client said beside the rest. */
  readonly foreign?: Foreign
  /**
   * By an adapter only: it writes down what the registry itself found out for its clients. The provider said nothing, so that it
   * is no evidence of life, and only what is registered can be written on.
   */
  readonly finding?: true
  readonly incarnation?: number
  readonly rev?: number
}

/**
 * Everything on a host. Refused with `needs_confirmation` (details: the list) where it would take at least half and at
 * least 5 instances of a service and is not confirmed; with `frozen` where an operator froze a namespace of it.
 */
export interface HostRemoval extends Signature {
  readonly namespace: string
  readonly host: string
  readonly confirm: boolean
  /** A part of what such a removal was found to take; the rest is not asked any more. */
  readonly refs?: readonly ResolvedRef[]
}

/** Instances by name. Signed, it is an operator's doing; unsigned, that of their provider. */
export interface Removal extends Signature {
  readonly refs: readonly ResolvedRef[]
}

/** What an operator wants of instances. The whole override is replaced: what is not said is not wanted. */
export interface OverrideCommand extends Signature {
  readonly refs: readonly ResolvedRef[]
  readonly drain?: boolean
  readonly disable?: boolean
  /** Binds to the present incarnation. */
  readonly weight?: number
  readonly durationMs?: number
}

/** Which overrides are taken back. */
export interface OverrideClearance extends Signature {
  readonly refs: readonly ResolvedRef[]
}

/**
 * What is to be brought back of what left a service by mistake: what another caller deregistered comes back as a new
 * incarnation, what expired as the same.
 */
export interface RestoreCommand extends Signature {
  readonly namespace: string
  readonly service: string
  readonly group?: string
  readonly sinceMs?: number
  readonly ids?: readonly string[]
  readonly reasons?: readonly RestoreReason[]
  readonly dryRun?: boolean
}

/** A namespace, or `*` for all. */
export interface FreezeCommand extends Signature {
  readonly namespace: string
}

/** What a service is declared with. */
export interface ServiceDeclaration {
  readonly namespace: string
  readonly service: string
  /** Null takes the declaration back; instances stay. */
  readonly settings: ServiceSettings | null
}

/** What clients of another protocol have kept under a key. By an adapter only. */
export interface ValueCommand {
  readonly namespace: string
  readonly protocol: string
  readonly key: string
  /** Null takes it back. */
  readonly document: string | null
  /** Only where the last write had this number; 0 where there is none. Decided at the node that takes the command. */
  readonly expected?: number
}

export interface NamespaceDeclaration {
  readonly namespace: string
  /** Null takes the declaration back. */
  readonly settings: NamespaceSettings | null
}

/** What each kind of command says. Items of a list are judged one by one; anything else is done or refused as a whole. */
export interface Commands {
  readonly register: { readonly items: readonly RegisterCommand[] }
  readonly deregister: Removal
  readonly deregisterHost: HostRemoval
  readonly override: OverrideCommand
  readonly clearOverrides: OverrideClearance
  readonly restore: RestoreCommand
  readonly freeze: FreezeCommand
  readonly unfreeze: FreezeCommand
  readonly declareService: ServiceDeclaration
  readonly declareNamespace: NamespaceDeclaration
  readonly keepValue: ValueCommand
}

export type CommandKind = keyof Commands

/** The command of a kind. */
export type CommandOf<K extends CommandKind> = { readonly kind: K } & Commands[K]

/** Every command. */
export type Command = { [K in CommandKind]: CommandOf<K> }[CommandKind]

/** What is answered before it is known how durable it is. */
export type Undurable<T> = T extends { readonly durability: Durability } ? Omit<T, 'durability'> : T

export type RemovalLists = Omit<DeregisterResponse, 'durability'>
export type RestoreOutcome = Omit<RestoreResponse, 'durability'>
/** How one item of an override was taken. */
export type OverrideOutcome = Undurable<Overridden | Refused>

/** A declaration or a freeze was made, or taken back. */
export interface Declared {
  /** Whether one stood before. */
  readonly existed: boolean
}

/** Whether a value is now what was wanted, and not another one than was expected. */
export interface Kept {
  readonly kept: boolean
}

/** What each command is answered; results are in the order of the items. */
export interface Answers {
  readonly register: readonly Undurable<Registered | Refused>[]
  readonly deregister: RemovalLists
  readonly deregisterHost: RemovalLists
  readonly override: readonly OverrideOutcome[]
  readonly clearOverrides: readonly OverrideOutcome[]
  readonly restore: RestoreOutcome
  readonly freeze: Declared
  readonly unfreeze: Declared
  readonly declareService: Declared
  readonly declareNamespace: Declared
  readonly keepValue: Kept
}

/** A command that was done, and how durable that is by now. */
export interface Done<K extends CommandKind> {
  readonly answer: Answers[K]
  readonly durability: Durability
}
