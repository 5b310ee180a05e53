/** Draws by weight: which of many records are answered, and in which order. Pure; chance is injected. */

/** Things to draw from. A weight of 0 is drawn only where no other is left. */
export interface Pool<T> {
  readonly items: readonly T[]
  /** The sum of the weights up to each item and with it. */
  readonly sums: Float64Array
  readonly even: boolean
}

/** Makes a pool; none of its weights is negative. */
export function createPool<T>(items: readonly T[], weights: readonly number[]): Pool<T> {
  const sums = new Float64Array(items.length)
  let sum = 0
  for (const [place, weight] of weights.entries()) sums[place] = sum += weight
  return { items, sums, even: weights.every((weight) => weight === weights[0]) }
}

/** Up to this many, each gets a key and the keys are sorted. */
const SORTED_MAX = 512

/**
 * Draws `count` items without putting any back, each by its weight among those that are left. With many more items than
 * that, it costs what is drawn and not what is there.
 */
export function draw<T>({ items, sums, even }: Pool<T>, count: number, chance: () => number): T[] {
  const { length } = items
  if (length === 1 || count <= 0) return items.slice(0, Math.max(0, count))
  const wanted = Math.min(count, length)
  const places =
    length <= SORTED_MAX || wanted > length / 4
      ? drawSorted(sums, wanted, chance)
      : drawSparse(sums, even, wanted, chance)
  return places.map((place) => items[place] as T)
}

/** By keys of Efraimidis and Spirakis: the order of -ln(u) / weight is that of drawing one after the other. */
function drawSorted(sums: Float64Array, wanted: number, chance: () => number): number[] {
  const keys = new Float64Array(sums.length)
  const places: number[] = []
  for (let place = 0; place < sums.length; place++) {
    const weight = (sums[place] as number) - (place === 0 ? 0 : (sums[place - 1] as number))
    const key = -Math.log(1 - chance())
    // Those without weight come last, in any order.
    keys[place] = weight > 0 ? key / weight : Number.MAX_VALUE / (1 + key)
    places.push(place)
  }
  places.sort((a, b) => (keys[a] as number) - (keys[b] as number))
  return places.slice(0, wanted)
}

/** One draw after the other, those that hit again in vain; where that happens too often, neighbours fill up. */
function drawSparse(sums: Float64Array, even: boolean, wanted: number, chance: () => number): number[] {
  const { length } = sums
  const drawn = new Set<number>()
  const total = sums[length - 1] as number
  for (let tries = wanted * 4; drawn.size < wanted && tries > 0; tries--)
    drawn.add(even || total === 0 ? Math.floor(chance() * length) : placeOf(sums, chance() * total))
  const begin = Math.floor(chance() * length)
  for (let step = 0; drawn.size < wanted; step++) drawn.add((begin + step) % length)
  return [...drawn]
}

/** The first place whose sum is above the value. */
function placeOf(sums: Float64Array, value: number): number {
  let low = 0
  let high = sums.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sums[middle] as number) > value) high = middle
    else low = middle + 1
  }
  return low
}
