/** The statuses of Eureka, and the digest that its clients compare. Pure. */

export const STATUSES = ['UP', 'DOWN', 'STARTING', 'OUT_OF_SERVICE', 'UNKNOWN'] as const

export type Status = (typeof STATUSES)[number]

/** The exact word: Eureka tells upper from lower case. */
export function isStatus(value: unknown): value is Status {
  return (STATUSES as readonly unknown[]).includes(value)
}

/** What a body says; any other word counts as `UNKNOWN`, as in Eureka's own server. */
export function readStatus(value: unknown): Status {
  return isStatus(value) ? value : 'UNKNOWN'
}

/** How many there are of each status. */
export type StatusCounts = Readonly<Partial<Record<Status, number>>>

/**
 * `apps__hashcode`: the counts of all statuses there are, by name. A client that computes another one from its copy fetches
 * everything again.
 */
export function hashOf(counts: StatusCounts): string {
  return STATUSES.toSorted()
    .filter((status) => (counts[status] ?? 0) > 0)
    .map((status) => `${status}_${counts[status]}_`)
    .join('')
}
