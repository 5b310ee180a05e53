/** Query in, target groups out. Pure. */
import { NAME_PATTERN, RegistryError, STATES, type State } from '@rollcall/wire'
import type { TargetGroup } from './mapping.js'

/** Which targets are asked for; undefined = all. */
export interface TargetsQuery {
  readonly namespace: string | undefined
  readonly service: string | undefined
  readonly states: ReadonlySet<State> | undefined
}

/**
 * Reads the query of a URL. A parameter that is not known, or is empty, is ignored: the URL stands in a configuration of
 * Prometheus and is meant for nodes of several versions.
 */
export function readQuery(url: string): TargetsQuery {
  const mark = url.indexOf('?')
  const parameters = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1))
  return {
    namespace: nameOf(parameters, 'namespace'),
    service: nameOf(parameters, 'service'),
    states: statesOf(parameters),
  }
}

function nameOf(parameters: URLSearchParams, field: string): string | undefined {
  const [name, ...more] = parameters.getAll(field).filter((value) => value !== '')
  if (more.length > 0) throw invalid(field, 'may be given only once')
  if (name !== undefined && !NAME_PATTERN.test(name))
    throw invalid(field, 'must be up to 128 letters, digits, dots, dashes and underscores')
  return name
}

function statesOf(parameters: URLSearchParams): ReadonlySet<State> | undefined {
  const names = parameters
    .getAll('state')
    .flatMap((value) => value.split(','))
    .filter((name) => name !== '')
  if (names.length === 0) return undefined
  return new Set(
    names.map((name) => {
      const state = STATES.find((each) => each === name)
      if (state === undefined)
        throw invalid('state', `must be some of ${STATES.join(', ')}, separated by commas`)
      return state
    }),
  )
}

function invalid(field: string, message: string): RegistryError {
  return new RegistryError('invalid_argument', `${field} ${message}`, { field })
}

/** The JSON array of target groups, one line for each, piece by piece; a step without one is an empty piece. */
export function* encodeGroups(groups: Iterable<TargetGroup | undefined>): Generator<string> {
  let before = '['
  for (const group of groups) {
    if (group === undefined) {
      yield ''
      continue
    }
    yield `${before}${JSON.stringify(group)}`
    before = ',\n'
  }
  yield before === '[' ? '[]\n' : ']\n'
}
