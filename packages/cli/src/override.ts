/** What `drain`, `disable` and `enable` share: naming an instance, and reading the answer for it. */
import {
  defined,
  DEFAULTS,
  isRegistryError,
  RegistryError,
  type ExplainedOverride,
  type Explanation,
  type Overridden,
  type OverridesResponse,
} from '@rollcall/wire'
import type { ClusterApi } from './api-client.js'
import { ageText } from './instance-columns.js'
import type { RegistryOptions } from './registry-options.js'

/** The one instance a command names, as a request has it. */
export function instanceOf(
  service: string,
  id: string,
  { namespace = DEFAULTS.namespace, group = DEFAULTS.group }: RegistryOptions,
): { readonly namespace: string; readonly service: string; readonly group: string; readonly id: string } {
  return { namespace, service, group, id }
}

/** How the instance stands now; undefined where the registry does not know it. */
export async function explained(
  api: ClusterApi,
  instance: ReturnType<typeof instanceOf>,
): Promise<Explanation | undefined> {
  try {
    return await api.call('explain', instance)
  } catch (error) {
    // Whether that is a fault is for what follows to say.
    if (isRegistryError(error) && error.code === 'unknown_instance') return undefined
    throw error
  }
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
export function standingOf(result: Pick<Overridden, 'state'>): string {
  return result.state === undefined
    ? 'is not listed at present, and will be so when it is'
    : `is ${result.state}`
}

/** What an override wants, for how long, by whose word and why. */
export function overrideText({
  drain,
  disable,
  weight,
  remainingMs,
  by,
  why,
}: Omit<ExplainedOverride, 'counter' | 'node'>): string {
  const wishes = [
    ...(drain === true ? ['drain'] : []),
    ...(disable === true ? ['disable'] : []),
    ...(weight === undefined ? [] : [`weight ${weight.value} of incarnation ${weight.incarnation}`]),
  ]
  return [
    wishes.length === 0 ? 'taken back' : wishes.join(', '),
    ...(remainingMs === undefined ? [] : [`for another ${ageText(remainingMs)}`]),
    ...(by === undefined ? [] : [`by ${by}`]),
    ...(why === undefined ? [] : [`(${why})`]),
  ].join(' ')
}
