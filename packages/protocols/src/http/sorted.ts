/** Sorting in steps: what comes first is known only when all was looked at, but no step looks at much of it. */

/** Items that are sorted at once. */
const RUN = 256

/** The items in order, each after a step that came to nothing: one of those for every item that is looked at. */
export function* sortedInSteps<T>(
  items: Iterable<T>,
  compare: (a: T, b: T) => number,
): Generator<T | undefined> {
  const runs: Iterator<T>[] = []
  let run: T[] = []
  const close = (): void => {
    runs.push(run.sort(compare).values())
    run = []
  }
  for (const item of items) {
    run.push(item)
    if (run.length === RUN) close()
    yield undefined
  }
  close()
  yield* mergedAll(runs, compare)
}

/** Two at a time, so that each item passes as few comparisons as there are halvings of the number of runs. */
function mergedAll<T>(runs: Iterator<T>[], compare: (a: T, b: T) => number): Iterable<T> {
  while (runs.length > 1) {
    const [a, b] = runs.splice(0, 2) as [Iterator<T>, Iterator<T>]
    runs.push(merged(a, b, compare))
  }
  const [all] = runs
  return { [Symbol.iterator]: () => all ?? [].values() }
}

function* merged<T>(a: Iterator<T>, b: Iterator<T>, compare: (a: T, b: T) => number): Generator<T> {
  let left = a.next()
  let right = b.next()
  while (left.done !== true && right.done !== true) {
    if (compare(left.value, right.value) <= 0) {
      yield left.value
      left = a.next()
    } else {
      yield right.value
      right = b.next()
    }
  }
  for (; left.done !== true; left = a.next()) yield left.value
  for (; right.done !== true; right = b.next()) yield right.value
}
