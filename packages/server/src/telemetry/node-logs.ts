/** The logs of a node that have rules of their own: refusals, what operators did, how it does. */
import type { Clock, RefusalLog } from '@rollcall/core'
import type { Config } from '../config/types.js'
import { type AuditLog, createAuditLog } from './audit-log.js'
import { createHealthLog, type HealthLog } from './health-log.js'
import type { ProcessLogger } from './logging.js'
import { createRefusalLog } from './refusal-log.js'

export interface NodeLogs {
  readonly refusals: RefusalLog
  readonly audit: AuditLog
  readonly health: HealthLog
}

/** Creates the logs of a node, each a component of its logger. */
export function createNodeLogs(
  { clock, logger }: { readonly clock: Clock; readonly logger: ProcessLogger },
  { logLevel }: Pick<Config, 'logLevel'>,
): NodeLogs {
  const refusals = createRefusalLog({ clock, logger: logger.child({ component: 'refusals' }) })
  const verbose = logLevel === 'debug'
  return {
    refusals,
    audit: createAuditLog({ logger: logger.child({ component: 'audit' }), refusals, verbose }),
    health: createHealthLog({ clock, logger: logger.child({ component: 'health' }) }),
  }
}
