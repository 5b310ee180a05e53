/** A node in memory behind real sockets: the real rules and listener, without probes. */
import { connect, type Socket } from 'node:net'
import {
  ANONYMOUS,
  type Caller,
  type Elsewhere,
  type JournalEntry,
  NO_LOGGER,
  NO_REFUSALS,
  NODE_DEFAULTS,
  type Meter,
} from '@rollcall/core'
import {
  createNativeProtocol,
  type HttpBudgets,
  type NativeOptions,
  type NativeProtocol,
} from '@rollcall/protocols/native'
import {
  defined,
  LIMITS,
  type ClusterResponse,
  type Delta,
  type DeregisterResponse,
  type ErrorBody,
  type HeartbeatResponse,
  type NamespacesResponse,
  type ProcessFacts,
  type RegisterResponse,
  type ServicesResponse,
  type SignsResponse,
  type View,
} from '@rollcall/wire'
import { createSystemClock } from '../../packages/server/src/clock.js'
import { createConnections } from '../../packages/server/src/listener/connections.js'
import { createHttpListener } from '../../packages/server/src/listener/http-listener.js'
import { createHttpBudgets } from '../../packages/server/src/http-budgets.js'
import { createNodeDriver, type NodeDriver } from '../../packages/server/src/driver/node-driver.js'

/** A caller that only looks. */
export const ONLOOKER: Caller = { principal: ANONYMOUS }

export interface TestNode {
  readonly port: number
  readonly origin: string
  readonly driver: NodeDriver
  readonly native: NativeProtocol
  readonly budgets: HttpBudgets
  /** Sums of counters, by name or `name:label`. */
  readonly counted: ReadonlyMap<string, number>
  close(): Promise<void>
}

export interface TestNodeOptions extends NativeOptions {
  /** What it has from its journal; false leaves it not ready for lookups. Default: nothing. */
  readonly loaded?: readonly JournalEntry[] | false
  readonly waitersMax?: number
  readonly unsentBytesMax?: number
  readonly receivedBytesMax?: number
  /** Which nodes clients may use, as the cluster says. Default: none. */
  readonly nodes?: () => readonly string[]
  /** What it knows of its cluster. Default: it is alone. */
  readonly clusterStatus?: ClusterResponse
  /** Default `n1`. */
  readonly nodeId?: string
  /** What asks the other nodes. Default: there are none. */
  readonly elsewhere?: Elsewhere
  /** Name of its cluster. Default `test`. */
  readonly cluster?: string
}

/** What the process of a real node would say of itself. */
const FACTS: ProcessFacts = {
  address: '127.0.0.1:7400',
  startedAt: '2026-01-01T00:00:00.000Z',
  uptimeMs: 1,
  journal: { durability: 'memory', failing: false },
  residentBytes: 1,
}

const ALONE: ClusterResponse = {
  cluster: 'test',
  epoch: '',
  nodes: [],
  engine: { kind: 'none', state: 'connected', endpoints: [] },
  divergence: 0,
}

/** Starts a node. */
export async function startNode(options: TestNodeOptions = {}): Promise<TestNode> {
  const { loaded = [], waitersMax = 10_000, unsentBytesMax, receivedBytesMax, ...others } = options
  const { nodes, clusterStatus = ALONE, elsewhere, nodeId = 'n1', cluster = 'test', ...native } = others
  const clock = createSystemClock()
  const counted = new Map<string, number>()
  const meter = countingMeter(counted)
  const driver = createNodeDriver(
    { clock, meter, prober: { probe: (_, callback) => callback('skipped') } },
    { ...NODE_DEFAULTS, nodeId },
  )
  if (loaded !== false) driver.load(loaded)
  driver.start()
  const { bodyBytesMax } = { ...LIMITS, ...native.limits }
  const bounds = { bodyBytesMax, waitersMax, unsentBytesMax, receivedBytesMax }
  const budgets = createHttpBudgets({ meter }, bounds, 4 * 1024 ** 3)
  const protocol = createNativeProtocol(
    {
      registry: driver,
      clock,
      logger: NO_LOGGER,
      meter,
      refusals: NO_REFUSALS,
      node: {
        id: nodeId,
        cluster,
        readiness: () => driver.readiness(),
        facts: () => FACTS,
        ...defined({ nodes, elsewhere }),
        clusterStatus: () => clusterStatus,
      },
      budgets,
    },
    native,
  )
  const deps = { clock, logger: NO_LOGGER, meter, refusals: NO_REFUSALS }
  const listener = createHttpListener(
    { ...deps, connections: createConnections(deps, 10_000) },
    { host: '127.0.0.1', port: 0, mounts: [{ path: '/', ...protocol }] },
  )
  const { port } = await listener.start()
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    driver,
    native: protocol,
    budgets,
    counted,
    async close() {
      await protocol.close()
      await listener.close(200)
      driver.close()
    },
  }
}

/** Sums counters, by name and by `name:label`, and keeps gauges. */
function countingMeter(counted: Map<string, number>): Meter {
  const add = (key: string, by: number): void => void counted.set(key, (counted.get(key) ?? 0) + by)
  return {
    count(name, by = 1, label) {
      add(name, by)
      if (label !== undefined) add(`${name}:${label}`, by)
    },
    set(name, value) {
      counted.set(name, value)
    },
    observe() {},
  }
}

/** Whatever an answer may hold; a test looks at what it expects to be there. */
export type Body = RegisterResponse &
  HeartbeatResponse &
  DeregisterResponse &
  View &
  Delta &
  ServicesResponse &
  NamespacesResponse &
  SignsResponse & { readonly error: ErrorBody }

/** A request as JSON in, JSON out. */
export async function call(
  node: TestNode,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; headers: Headers; body: Body }> {
  const response = await fetch(node.origin + path, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  // A 304 and an answer to HEAD have no body.
  return {
    status: response.status,
    headers: response.headers,
    body: (text === '' ? undefined : JSON.parse(text)) as Body,
  }
}

/** An instance to register. */
export function instance(id: string, more: object = {}): object {
  return { service: 'orders', id, host: '10.0.0.1', port: 8080, liveness: 'static', ...more }
}

/** Sends bytes and collects what comes back until the peer ends, or until `enough` says so. */
export function exchangeBytes(
  port: number,
  bytes: string | Buffer,
  enough: (text: string) => boolean = () => false,
): Promise<string> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (enough(text)) socket.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
}

/** Waits until something holds; fails with `what` after `withinMs`. */
export async function until(holds: () => boolean, what: string, withinMs = 30_000): Promise<void> {
  const began = performance.now()
  while (!holds()) {
    if (performance.now() - began > withinMs) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
