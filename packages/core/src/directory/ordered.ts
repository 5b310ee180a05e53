/**
 * Items in the order of their names. They stand in blocks, so that adding and removing move a few hundred places at
 * most, and reading from a name on begins with two binary searches.
 */

/** Places of a block; a full one is halved. */
const BLOCK_MAX = 512

export class Ordered<T> {
  private readonly nameOf: (item: T) => string
  private readonly blocks: T[][] = []
  /** Items held. */
  size = 0

  constructor(nameOf: (item: T) => string) {
    this.nameOf = nameOf
  }

  get isEmpty(): boolean {
    return this.blocks.length === 0
  }

  /** Adds an item; its name must not be there. */
  add(item: T): void {
    const name = this.nameOf(item)
    const place = this.blockOf(name)
    const block = this.blocks[place]
    this.size++
    if (block === undefined) {
      this.blocks.push([item])
      return
    }
    block.splice(this.firstIn(block, name), 0, item)
    if (block.length > BLOCK_MAX) this.blocks.splice(place + 1, 0, block.splice(BLOCK_MAX / 2))
  }

  /** The item of a name. */
  get(name: string): T | undefined {
    const block = this.blocks[this.blockOf(name)]
    const item = block?.[this.firstIn(block, name)]
    return item !== undefined && this.nameOf(item) === name ? item : undefined
  }

  /** Removes the item of a name, if there is one. */
  delete(name: string): void {
    const place = this.blockOf(name)
    const block = this.blocks[place]
    if (block === undefined) return
    const within = this.firstIn(block, name)
    const item = block[within]
    if (item === undefined || this.nameOf(item) !== name) return
    block.splice(within, 1)
    this.size--
    if (block.length === 0) this.blocks.splice(place, 1)
  }

  /** The items from a name on, in order. Nothing may be added or removed meanwhile. */
  *from(name: string): IterableIterator<T> {
    let place = this.blockOf(name)
    const first = this.blocks[place]
    if (first === undefined) return
    for (let within = this.firstIn(first, name); within < first.length; within++) yield first[within] as T
    for (place++; place < this.blocks.length; place++) yield* this.blocks[place] as T[]
  }

  /** The last block that begins at the name or before it, else the first. */
  private blockOf(name: string): number {
    let low = 0
    let high = this.blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const [first] = this.blocks[middle] as T[]
      if (this.nameOf(first as T) <= name) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }

  /** The first place in a block whose name is the given one or later. */
  private firstIn(block: readonly T[], name: string): number {
    let low = 0
    let high = block.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.nameOf(block[middle] as T) < name) low = middle + 1
      else high = middle
    }
    return low
  }
}
