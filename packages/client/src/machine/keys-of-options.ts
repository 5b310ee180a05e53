/** Whether options are among those that exist. */
import { invalid } from './errors.js'

/** The options of a type: a table that misses one does not compile. */
export type Keys<T> = Readonly<Record<keyof T, true>>

/** Throws `invalid_argument` for an option that is not among `known`, and for what is no object; `place` has them. */
export function checkKeys(options: object, known: object, place: string, prefix = ''): void {
  if (typeof options !== 'object' || options === null)
    throw invalid(`the options of ${place} are an object`, prefix === '' ? place : prefix)
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue
    const field = prefix === '' ? name : `${prefix}.${name}`
    throw invalid(`there is no option ${name} of ${place}; there are ${Object.keys(known).join(', ')}`, field)
  }
}
