/** What `drain`, `disable` and `enable` share: naming an instance, and reading the answer for it. */
import { defined, DEFAULTS, RegistryError, type Overridden, type OverridesResponse } from '@rollcall/wire'
import type { RegistryOptions } from './registry-options.js'

/** The one instance a command names, as a request has it. */
export function instanceOf(
  service: string,
  id: string,
  { namespace = DEFAULTS.namespace, group = DEFAULTS.group }: RegistryOptions,
): { readonly namespace: string; readonly service: string; readonly group: string; readonly id: string } {
  return { namespace, service, group, id }
}

/** What became of the one item of an override; throws the error it was refused with. */
export function onlyResult({ results }: OverridesResponse): Overridden {
  const [result] = results
  if (result === undefined) throw new RegistryError('protocol', 'the registry answered for no instance')
  if (result.ok) return result
  const { code, message, field } = result.error
  throw new RegistryError(code, message, defined({ field }))
}

/** `orders/default 10.0.0.5:3000`. */
export function nameOf({ service, group, id }: Pick<Overridden, 'service' | 'group' | 'id'>): string {
  return `${service}/${group} ${id}`
}

/** What consumers see of it now. */
export function standingOf(result: Overridden): string {
  return result.state === undefined
    ? 'is not listed at present, and will be so when it is'
    : `is ${result.state}`
}
