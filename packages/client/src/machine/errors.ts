/** The errors that several parts of the client give. */
import type { Instance, State } from '@rollcall/wire'
import { RegistryError } from '@rollcall/wire'

/** The error of a service that is known and has no instance to call: it counts the instances it has by state. */
export function noInstancesError(service: string, list: readonly Instance[]): RegistryError {
  const states: Partial<Record<State, number>> = {}
  for (const { state } of list) states[state] = (states[state] ?? 0) + 1
  const counts = Object.entries(states).map(([state, count]) => `${count} ${state}`)
  const known = counts.length === 0 ? 'none is registered' : counts.join(', ')
  return new RegistryError('no_instances', `${service} has no instance that can be called: ${known}`, {
    details: { states },
  })
}

/** The error of an argument that cannot work. */
export function invalid(message: string, field: string): RegistryError {
  return new RegistryError('invalid_argument', message, { field })
}

/** The error of an operation its caller aborted. */
export function abortedError(signal: AbortSignal): RegistryError {
  return new RegistryError('aborted', 'the operation was aborted', { cause: signal.reason })
}

/** The error of whatever is asked of a closed service, or waited for when it is closed. */
export function serviceClosedError(service: string): RegistryError {
  return new RegistryError('closed', `${service} was closed: service() gives a new handle`, {
    details: { service },
  })
}

/** The error of whatever is asked of a closed client, or waited for when it is closed. */
export function closedError(): RegistryError {
  return new RegistryError('closed', 'the client was closed')
}

/** An error says which cluster it is of. */
export function ofCluster(cluster: string, error: RegistryError): RegistryError {
  const { code, field, message } = error
  return new RegistryError(code, `${cluster}: ${message}`, {
    ...(field === undefined ? {} : { field }),
    details: { ...error.details, cluster },
    cause: error,
  })
}
