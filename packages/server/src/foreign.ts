/**
 * The protocols of other registries over HTTP, each at an address of its own: with compose.ts the only file that names
 * adapters. Each is there where its setting gives it an address.
 */
import { checkProbe, type Clock, type RefusalLog } from '@rollcall/core'
import { createConsulProtocol } from '@rollcall/protocols/consul'
import { createEurekaServer } from '@rollcall/protocols/eureka'
import type { HttpBudgets } from '@rollcall/protocols/native'
import type { HostPort } from './config/address.js'
import { type Config, parseHostPort } from './config/config.js'
import type { ForeignProtocol } from './config/foreign.js'
import type { NodeDriver } from './driver/node-driver.js'
import type { Mount } from './listener/mounts.js'
import { allowedHostsOf } from './node-settings.js'
import type { SystemRandom } from './random.js'
import type { ProcessLogger } from './telemetry/logging.js'
import type { MetricsRegistry } from './telemetry/metrics-registry.js'
import { SOFTWARE_VERSION } from './version.js'

/** What the adapters stand on. */
export interface ForeignParts {
  readonly clock: Clock
  readonly random: Pick<SystemRandom, 'fraction'>
  readonly logger: ProcessLogger
  readonly metrics: MetricsRegistry
  readonly driver: NodeDriver
  readonly budgets: HttpBudgets
  readonly refusals: RefusalLog
  /** Where the node is reached. */
  readonly reached: () => HostPort
}

/** The adapter of another registry's protocol, with an address of its own. */
export interface ForeignServer extends HostPort {
  /** The setting that has the address, which is the name of the protocol. */
  readonly setting: ForeignProtocol
  readonly mounts: readonly Mount[]
  /** The node serves: what is to be followed can be. */
  start?(): void
  /** Requests that wait are answered, now and from now on. */
  stop?(): void
  close(): void
}

/** Those that the configuration asks for. */
export function createForeign(config: Config, parts: ForeignParts): readonly ForeignServer[] {
  return [createEureka(config, parts), createConsul(config, parts)].filter((each) => each !== undefined)
}

function createEureka(config: Config, parts: ForeignParts): ForeignServer | undefined {
  const address = parseHostPort(config.eureka ?? '')
  if (address === undefined) return undefined
  const { driver, clock, logger, metrics, refusals, budgets } = parts
  const { leaseMsMin, leaseMsMax } = config.limits
  const deps = { registry: driver, node: driver, clock, meter: metrics, refusals, budgets }
  const server = createEurekaServer(
    { ...deps, logger: logger.child({ component: 'eureka' }) },
    { allowedHosts: allowedHostsOf(config), leaseMsMin, leaseMsMax },
  )
  return { ...address, setting: 'eureka', mounts: [{ path: '/', ...server }], close: () => server.close() }
}

function createConsul(config: Config, parts: ForeignParts): ForeignServer | undefined {
  const address = parseHostPort(config.consul ?? '')
  if (address === undefined) return undefined
  const { clock, random, logger, metrics, driver, budgets, refusals, reached } = parts
  const rules = { otherPorts: config.probeOtherPorts, credentials: config.probeCredentials }
  const protocol = createConsulProtocol(
    {
      registry: driver,
      node: driver,
      identity: { cluster: config.cluster, version: SOFTWARE_VERSION, address: () => reached().host },
      probeFault: (probe, ownPort) => checkProbe(probe, ownPort, rules),
      clock,
      random: () => random.fraction(),
      logger: logger.child({ component: 'consul' }),
      meter: metrics,
      refusals,
      budgets,
    },
    { allowedHosts: allowedHostsOf(config) },
  )
  return {
    ...address,
    setting: 'consul',
    mounts: [{ path: '/', ...protocol }],
    start: () => protocol.start(),
    stop: () => protocol.stop(),
    close: () => protocol.close(),
  }
}
