/** The earliest of several moments, of which some may not be set. */
export function earliest(...moments: readonly (number | undefined)[]): number | undefined {
  let first: number | undefined
  for (const moment of moments)
    if (moment !== undefined && (first === undefined || moment < first)) first = moment
  return first
}

/** The earliest moment among items. */
export function earliestOf<T>(
  items: Iterable<T>,
  moment: (item: T) => number | undefined,
): number | undefined {
  let first: number | undefined
  for (const item of items) first = earliest(first, moment(item))
  return first
}
