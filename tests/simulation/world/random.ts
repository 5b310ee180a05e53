/**
 * Chance from a seed. The same seed draws the same numbers on every machine, and every actor draws from a stream
 * of its own: leaving one fault out of a run changes as little as possible of the rest, so that runs can be shrunk.
 */
export class Chance {
  private readonly path: string
  private a: number
  private b: number
  private c: number
  private d: number

  /** `path` names the stream; equal paths draw equal numbers. */
  constructor(path: string) {
    this.path = path
    const [a, b, c, d] = hashes(path)
    this.a = a
    this.b = b
    this.c = c
    this.d = d
    for (let round = 0; round < 12; round++) this.fraction()
  }

  /** A stream that depends on the name only, not on what was drawn here before. */
  fork(name: string | number): Chance {
    return new Chance(`${this.path}/${name}`)
  }

  /** A number in [0, 1): sfc32. */
  fraction(): number {
    const sum = (this.a + this.b + this.d) | 0
    this.d = (this.d + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum
    this.c |= 0
    return (sum >>> 0) / 4_294_967_296
  }

  /** A number in [min, max). */
  between(min: number, max: number): number {
    return min + this.fraction() * (max - min)
  }

  /** A whole number from min to max, both included. */
  whole(min: number, max: number): number {
    return min + Math.floor(this.fraction() * (max - min + 1))
  }

  happens(probability: number): boolean {
    return this.fraction() < probability
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    const item = list[Math.floor(this.fraction() * list.length)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }

  /** Some of a list, in its order, each at most once. */
  some<T>(list: readonly T[], count: number): T[] {
    const ranks = new Map(list.map((item) => [item, this.fraction()]))
    const chosen = new Set(
      [...list].sort((x, y) => (ranks.get(x) ?? 0) - (ranks.get(y) ?? 0)).slice(0, count),
    )
    return list.filter((item) => chosen.has(item))
  }

  /** A number around `mean` with the long tail that delays have. */
  delay(mean: number): number {
    return -Math.log(1 - this.fraction()) * mean
  }
}

/** Four 32-bit hashes of a text (cyrb128). */
function hashes(text: string): [number, number, number, number] {
  let [a, b, c, d] = [1_779_033_703, 3_144_134_277, 1_013_904_242, 2_773_480_762]
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    a = b ^ Math.imul(a ^ code, 597_399_067)
    b = c ^ Math.imul(b ^ code, 2_869_860_233)
    c = d ^ Math.imul(c ^ code, 951_274_213)
    d = a ^ Math.imul(d ^ code, 2_716_044_179)
  }
  return [a | 0, b | 0, c | 0, d | 0]
}
