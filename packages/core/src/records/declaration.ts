/** What stands by an operator's word rather than by a registration: a register under a name of its own. */
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

export type DeclarationKind = Declaration['kind']

/** The name under which a declaration is held; names cannot contain a slash. */
export function declarationKey(declaration: Declaration): string {
  const { kind, namespace } = declaration
  return kind === 'service' ? `${kind}/${namespace}/${declaration.service}` : `${kind}/${namespace}`
}
