/** Draws by weight: which of many records are answered, and in which order. Chance is injected. */

/** Up to this many that do not weigh the same, each gets a key and the keys are sorted. */
const SORTED_MAX = 512
/** Of more than that, this part is drawn one after the other: in vain the more often, the larger it is. */
const SPARSE_SHARE = 4
/** Up to this many keys are sorted by hand: calling the engine's sort takes longer. */
const INSERTED_MAX = 24

/**
 * Places to draw from, without putting any back, each by its weight among those that are left. What weighs 0 is drawn only
 * where no other is left.
 */
export class Draw {
  readonly size: number
  /** The places of the last draw, as many as were drawn. */
  readonly order: Uint32Array
  private readonly weights: Float64Array
  private readonly even: boolean
  /** The sum of the weights up to each place and with it. Empty where few are drawn from, or all are alike. */
  private readonly sums: Float64Array

  /** None of the weights is negative. */
  constructor(weights: Float64Array) {
    this.weights = weights
    this.size = weights.length
    this.order = new Uint32Array(this.size)
    let even = true
    for (let place = 0; place < this.size; place++) {
      this.order[place] = place
      even &&= weights[place] === weights[0]
    }
    this.even = even
    this.sums = new Float64Array(this.even || this.size <= SORTED_MAX ? 0 : this.size)
    let sum = 0
    for (let place = 0; place < this.sums.length; place++) this.sums[place] = sum += weights[place] as number
  }

  /** Draws `count` places into `order`, or all that there are. With many more than that, it costs what is drawn. */
  draw(count: number, chance: () => number): void {
    if (this.size < 2 || count < 1) return
    const wanted = Math.min(count, this.size)
    if (this.even) this.shuffle(wanted, chance)
    else if (this.size <= SORTED_MAX || wanted > this.size / SPARSE_SHARE) this.sort(wanted, chance)
    else this.hit(wanted, chance)
  }

  /** By Fisher and Yates; the order of the draw before is as good as any to begin with. */
  private shuffle(wanted: number, chance: () => number): void {
    const { order, size } = this
    for (let at = 0; at < wanted; at++) {
      const other = at + Math.floor(chance() * (size - at))
      const place = order[other] as number
      order[other] = order[at] as number
      order[at] = place
    }
  }

  /** By keys of Efraimidis and Spirakis: the order of -ln(u) / weight is that of drawing one after the other. */
  private sort(wanted: number, chance: () => number): void {
    const { order, size } = this
    const keys = keysFor(size)
    for (let place = 0; place < size; place++) {
      const weight = this.weights[place] as number
      const key = -Math.log(1 - chance())
      // Those without weight come last, in any order.
      keys[place] = weight > 0 ? key / weight : Number.MAX_VALUE / (1 + key)
    }
    if (size <= INSERTED_MAX) insertionSort(keys, order, size)
    else packedSort(keys, order, size, wanted)
  }

  /** One draw after the other, those that hit again in vain; where that happens too often, neighbours fill up. */
  private hit(wanted: number, chance: () => number): void {
    const { size, sums, order } = this
    const drawn = new Set<number>()
    const total = sums[size - 1] as number
    for (let tries = wanted * 4; drawn.size < wanted && tries > 0; tries--)
      drawn.add(placeOf(sums, chance() * total))
    const begin = Math.floor(chance() * size)
    for (let step = 0; drawn.size < wanted; step++) drawn.add((begin + step) % size)
    let at = 0
    for (const place of drawn) order[at++] = place
  }
}

let keysHeld = new Float64Array(SORTED_MAX)

/** Memory for keys, the same for all draws: none of them lasts. */
function keysFor(size: number): Float64Array {
  if (keysHeld.length < size) keysHeld = new Float64Array(size)
  return keysHeld
}

/** Writes the places of the keys, in the order of the keys. */
function insertionSort(keys: Float64Array, order: Uint32Array, size: number): void {
  for (let place = 0; place < size; place++) {
    const key = keys[place] as number
    let at = place
    for (; at > 0 && (keys[order[at - 1] as number] as number) > key; at--)
      order[at] = order[at - 1] as number
    order[at] = place
  }
}

/** Which half of a float has its least bits: by the order of bytes of this machine. */
const LEAST = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 0 : 1

/**
 * The same for many: each place is put into the least bits of its key, where it changes nothing that counts, so that
 * numbers alone are sorted.
 */
function packedSort(keys: Float64Array, order: Uint32Array, size: number, wanted: number): void {
  const mask = 2 ** Math.ceil(Math.log2(size)) - 1
  const halves = new Uint32Array(keys.buffer, 0, size * 2)
  for (let place = 0; place < size; place++) {
    const at = place * 2 + LEAST
    halves[at] = (((halves[at] as number) & ~mask) | place) >>> 0
  }
  keys.subarray(0, size).sort()
  for (let at = 0; at < wanted; at++) order[at] = (halves[at * 2 + LEAST] as number) & mask
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
