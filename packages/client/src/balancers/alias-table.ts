/** Draws indices by weight in constant time (the alias method of Walker and Vose). */
export class AliasTable {
  private readonly size: number
  /** Of the unit at an index, the share that is its own; the rest belongs to its alias. */
  private readonly own: Float64Array
  private readonly alias: Int32Array

  /** Weights are not negative, and not all 0. */
  constructor(weights: readonly number[]) {
    const { length } = weights
    const sum = weights.reduce((total, weight) => total + weight, 0)
    this.size = length
    this.own = Float64Array.from(weights, (weight) => (weight * length) / sum)
    this.alias = Int32Array.from(weights, (_, index) => index)
    const small: number[] = []
    const large: number[] = []
    this.own.forEach((share, index) => (share < 1 ? small : large).push(index))
    while (small.length > 0 && large.length > 0) {
      const poor = small.pop()!
      const rich = large.at(-1)!
      this.alias[poor] = rich
      const left = this.own[rich]! - (1 - this.own[poor]!)
      this.own[rich] = left
      if (left < 1) small.push(large.pop()!)
    }
    // What rounding left over is whole.
    for (const index of [...small, ...large]) this.own[index] = 1
  }

  /** The index that a number in [0, 1) stands for. */
  draw(uniform: number): number {
    const position = uniform * this.size
    const index = Math.floor(position)
    return position - index < this.own[index]! ? index : this.alias[index]!
  }
}
