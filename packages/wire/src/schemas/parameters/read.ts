/** Reading of a request's path and query by the parameters of its route: nothing undeclared passes. */
import { RegistryError } from '../../errors.js'
import type { Limits } from '../../limits.js'
import type { Parameter } from './parameter.js'

/** Parts of a path or a query as a URL gives them, decoded; a repeated one is a list. */
export type UrlValues = Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * The values of all parameters by name; those that were left out are not there. Throws `invalid_argument` with the
 * parameter as field: for one that the route does not have, that is missing, given twice, empty or of the wrong form.
 */
export function readParameters(
  parameters: readonly Parameter[],
  path: UrlValues,
  query: UrlValues,
  limits: Limits,
): Readonly<Record<string, unknown>> {
  const inQuery = parameters.filter((each) => each.in === 'query').map(({ name }) => name)
  for (const name in query) if (!inQuery.includes(name)) throw undeclared(name, inQuery)
  const values: Record<string, unknown> = {}
  for (const parameter of parameters) {
    const { name, required } = parameter
    const given = (parameter.in === 'path' ? path : query)[name]
    if (given !== undefined) {
      values[name] = parameter.read(typeof given === 'string' ? [given] : given, limits)
    } else if (required) {
      throw new RegistryError('invalid_argument', `${name} is missing`, { field: name })
    }
  }
  return values
}

const NAME_CHARS_MAX = 64

function undeclared(name: string, known: readonly string[]): RegistryError {
  const shown = name.length > NAME_CHARS_MAX ? `${name.slice(0, NAME_CHARS_MAX)}…` : name
  const meant = nearest(name, known)
  const hint =
    known.length === 0
      ? 'this operation takes no parameters'
      : meant === undefined
        ? `there are ${known.join(', ')}`
        : `did you mean ${meant}?`
  return new RegistryError('invalid_argument', `there is no parameter ${shown} here; ${hint}`, {
    field: shown,
  })
}

/** The name that is within two edits, whatever the case; the nearest one. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase().slice(0, NAME_CHARS_MAX)
  const [best] = known
    .map((each) => ({ each, edits: editsBetween(wanted, each.toLowerCase()) }))
    .filter(({ each, edits }) => edits <= Math.min(2, each.length - 1))
    .toSorted((a, b) => a.edits - b.edits)
  return best?.each
}

/** Least number of characters that are added, dropped or replaced. */
function editsBetween(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const line = [row]
    for (let column = 1; column <= b.length; column++) {
      const kept = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      line.push(Math.min(kept, (above[column] ?? 0) + 1, (line[column - 1] ?? 0) + 1))
    }
    above = line
  }
  return above[b.length] ?? 0
}
