/** The errors for what is asked for and is not there. */
import type { InstanceKey, Queries } from '@rollcall/core'
import { RegistryError, type ViewName } from '@rollcall/wire'

/** An instance that is not there: its service may not be either. */
export function unknownInstance(read: Queries, key: InstanceKey): RegistryError {
  const { namespace, service, group, id } = key
  if (!read.knows({ namespace, service })) return unknownService(read, { namespace, service })
  return new RegistryError('unknown_instance', `${service} has no instance ${id} in group ${group}`)
}

/** A service, or a group of it, that was neither registered nor declared. */
export function unknownService(read: Queries, name: ViewName): RegistryError {
  const { namespace, service, group } = name
  const what = group === undefined ? service : `group ${group} of ${service}`
  const meant = read.namesake(name)
  const hint = meant === undefined ? '' : `; there is ${meant}, and names differ by case`
  return new RegistryError(
    'unknown_service',
    `${what} is neither registered nor declared in namespace ${namespace}${hint}`,
  )
}

/** A service without a declaration that could be read, or taken back. */
export function undeclared(namespace: string, service: string): RegistryError {
  return new RegistryError('unknown_service', `${service} is not declared in namespace ${namespace}`)
}
