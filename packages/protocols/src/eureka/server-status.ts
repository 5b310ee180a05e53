/** `/eureka/status`: what people look at to see whether Eureka doubts silence. No client reads it. Pure. */
import type { Queries } from '@rollcall/core'
import type { Format } from './codec.js'
import type { Applications } from './applications.js'
import type { Renewals } from './renewals.js'
import { element } from './xml.js'

/** Share of the expected renewals below which Eureka's server evicts nothing. */
const THRESHOLD = 0.85

/** Renewals of an instance in a minute, as Eureka expects them. */
const RENEWALS_PER_MINUTE = 2

export function statusOf(
  applications: Pick<Applications, 'renewing'>,
  renewals: Pick<Renewals, 'perMinute'>,
  read: Queries,
  format: Format,
): string {
  const { services, zones } = read.status().guards
  const figures = {
    instances: applications.renewing,
    renewsThreshold: Math.floor(applications.renewing * RENEWALS_PER_MINUTE * THRESHOLD),
    renewsLastMin: renewals.perMinute,
    // Rollcall's own guards decide, by service and by zone: docs/reference/liveness.md.
    selfPreservation: services > 0 || zones > 0,
  }
  if (format === 'json')
    return JSON.stringify({ generalStats: {}, applicationStats: figures, isHealthy: true })
  const members = Object.entries(figures).map(([name, value]) => element(name, String(value)))
  return element('status', element('applicationStats', members.join('')) + element('isHealthy', 'true'))
}
