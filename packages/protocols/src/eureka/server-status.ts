/**
 * `/eureka/status`: whether silence is doubted, in the words in which Eureka's own server tells its monitoring. People and
 * monitoring look at it; no client does. Pure.
 */
import type { Queries } from '@rollcall/core'
import type { Format } from './codec.js'
import type { Applications } from './applications.js'
import type { Renewals } from './renewals.js'
import { element } from './xml.js'

/** Share of the expected renewals below which Eureka's server evicts nothing. */
const THRESHOLD = 0.85

/** Renewals of an instance in a minute, as Eureka expects them. */
const RENEWALS_PER_MINUTE = 2

/** What renews at this node, and what this node doubts: the figures of each node are its own. */
export function statusOf(
  applications: Pick<Applications, 'countRenewing'>,
  renewals: Pick<Renewals, 'perMinute'>,
  read: Queries,
  format: Format,
): string {
  const { guards, freezes } = read.status()
  const { perMinute } = renewals
  const threshold = Math.floor(applications.countRenewing() * RENEWALS_PER_MINUTE * THRESHOLD)
  const { services, zones } = guards
  // What was never renewed is expected nowhere. Guards decide, by service and by zone, not the threshold: docs/reference/liveness.md.
  const figures = {
    numOfRenewsPerMinThreshold: threshold,
    numOfRenewsInLastMin: perMinute,
    // Misspelt by Eureka.
    isBelowRenewThresold: perMinute < threshold ? 1 : 0,
    selfPreservationModeEnabled: true,
    leaseExpirationEnabled: services + zones + freezes.total === 0 && !read.health().island,
  }
  const members = Object.entries(figures).map(([name, value]) => [name, String(value)] as const)
  if (format === 'json')
    return JSON.stringify({
      generalStats: {},
      applicationStats: Object.fromEntries(members),
      isHealthy: true,
    })
  const stats = members.map(([name, value]) => element(name, value)).join('')
  return element('status', element('applicationStats', stats) + element('isHealthy', 'true'))
}
