/** When a registry that is away is asked again. Pure. */

export interface BackOffTimes {
  readonly msMin: number
  readonly msMax: number
}

/** Wait after so many failures in a row: half of a doubling ceiling, and a random part of the other half. */
export function backOffMs(failures: number, { msMin, msMax }: BackOffTimes, random: number): number {
  const ceiling = Math.min(msMax, msMin * 2 ** Math.min(failures - 1, 30))
  return ceiling * (0.5 + 0.5 * random)
}

/** Wait between two rounds: a tenth more or less, so that bridges do not ask in step. */
export function roundMs(everyMs: number, random: number): number {
  return everyMs * (0.9 + 0.2 * random)
}
