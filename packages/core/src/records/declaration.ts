/** What stands by a word of its own rather than by a registration, mostly an operator's: a register under a name of its own. */
import type { NamespaceSettings, ServiceSettings } from '@rollcall/wire'
import type { Register } from './register.js'

/** Plain readonly data that survives JSON unchanged. */
export type Declaration =
  /** The settings of a declared service. */
  | {
      readonly kind: 'service'
      readonly namespace: string
      readonly service: string
      readonly register: Register<ServiceSettings>
    }
  | {
      readonly kind: 'namespace'
      readonly namespace: string
      readonly register: Register<NamespaceSettings>
    }
  /** A namespace, or `*` for all, is frozen. */
  | { readonly kind: 'freeze'; readonly namespace: string; readonly register: Register<true> }
  /** What clients of another protocol have kept under a key: text of the adapter's own shape. */
  | {
      readonly kind: 'value'
      readonly namespace: string
      readonly protocol: string
      readonly key: string
      readonly register: Register<string>
    }

export type DeclarationKind = Declaration['kind']

/** The name under which a declaration is held; names and protocols cannot contain a slash, the keys of values come last. */
export function declarationKey(declaration: Declaration): string {
  const { kind, namespace } = declaration
  if (kind === 'value') return `${kind}/${namespace}/${declaration.protocol}/${declaration.key}`
  return kind === 'service' ? `${kind}/${namespace}/${declaration.service}` : `${kind}/${namespace}`
}
