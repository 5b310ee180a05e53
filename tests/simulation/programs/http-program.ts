/** Programs that register and beat over HTTP. */
import type { Answers, RegisterCommand } from '@rollcall/core'
import type { HeartbeatResponse, ResolvedRef } from '@rollcall/wire'
import { callerAt } from '../world/callers.js'
import type { Endpoint } from '../world/endpoint.js'
import type { SimRegistry } from '../world/registry.js'
import { metadataIn, Program, type ProgramDeps, weightIn } from './program.js'
import { HOLD_OFF_MS, RECOVERY_MS } from '../world/surroundings.js'

/** Between two batched beats. */
const BEAT_MS = 5_000

/** A request without an answer failed after this: a lost beat is known before its silence can be doubted. */
export const REQUEST_TIMEOUT_MS = 2_000

/** What an HTTP program is made of. */
export interface HttpProgramDeps extends ProgramDeps {
  /** It registers again and again instead of beating. */
  readonly renews: boolean
}

/** Where one registration stands. */
interface Standing {
  registered: boolean
  /** Not to be registered before. */
  holdUntil: number
  /** A request is under way. */
  asking: boolean
}

/**
 * A process that speaks HTTP: registers, beats in batches, deregisters. Without incarnations it is what a shell
 * script with curl does; with them, what a careful client of another language does.
 */
export class HttpProgram extends Program {
  private readonly renews: boolean
  private standings = new Map<Endpoint, Standing>()

  constructor(deps: HttpProgramDeps) {
    super(deps)
    this.renews = deps.renews
  }

  protected begin(): void {
    const { clock } = this.process
    this.standings = new Map(
      this.endpoints.map((endpoint) => [endpoint, { registered: false, holdUntil: 0, asking: false }]),
    )
    for (const endpoint of this.endpoints) if (endpoint.named) endpoint.incarnation = clock.wallNow()
    this.beat()
  }

  protected farewell(exit: () => void): void {
    const refs = this.endpoints.map((endpoint) => this.refOf(endpoint))
    const { world, process } = this
    this.standings.clear()
    let tries = 0
    const attempt = (): void => {
      tries++
      const registry = world.balanced(process.host)
      world.network.request<true>(
        process,
        registry.address,
        (answer) => {
          const { api } = registry
          if (api === undefined) return
          api.execute({ kind: 'deregister', refs }, callerAt(process.host)).then(
            () => answer(true),
            () => {},
          )
        },
        (done) => {
          if (done === true || tries >= 3) exit()
          else process.clock.setTimer(300, attempt)
        },
        REQUEST_TIMEOUT_MS,
      )
    }
    attempt()
  }

  private beat(): void {
    const { process, world } = this
    process.clock.setTimer(BEAT_MS, () => this.beat())
    const now = process.clock.now()
    for (const [endpoint, standing] of this.standings) {
      if ((!standing.registered || this.renews) && !standing.asking && now >= standing.holdUntil)
        this.register(endpoint, standing)
    }
    const beating = [...this.standings]
      .filter(([, { registered }]) => registered)
      .map(([endpoint]) => endpoint)
    if (beating.length === 0 || this.renews) return
    const refs = beating.map((endpoint) => this.refOf(endpoint))
    const registry = world.balanced(process.host)
    world.network.request<HeartbeatResponse>(
      process,
      registry.address,
      (answer) => {
        const response = registry.api?.heard(refs, callerAt(process.host))
        if (response !== undefined) answer(response)
      },
      (response) => {
        if (response === undefined) this.missed(beating, registry)
        else this.answered(beating, response)
      },
      REQUEST_TIMEOUT_MS,
    )
  }

  /** A beat was lost: its silence is real. */
  private missed(endpoints: readonly Endpoint[], { process }: SimRegistry): void {
    const { queue, clusters, network } = this.world
    // While the only node is away no beat is heard, and no silence either: that excuses nothing.
    const away = !process.alive || process.paused
    if (away && network.lossRate === 0 && clusters[0]?.length === 1) return
    for (const endpoint of endpoints) endpoint.excuse(queue.now + RECOVERY_MS)
  }

  private answered(endpoints: readonly Endpoint[], response: HeartbeatResponse): void {
    for (const endpoint of endpoints) {
      const standing = this.standings.get(endpoint)
      if (standing === undefined) continue
      const named = (list: readonly ResolvedRef[]): boolean =>
        list.some(({ service, group, id }) => {
          const { key } = endpoint
          return service === key.service && group === key.group && id === key.id
        })
      if (named(response.unknown)) {
        standing.registered = false
        this.register(endpoint, standing)
      } else if (named(response.deregistered)) this.anew(endpoint, standing)
      else if (named(response.superseded)) this.conflict(endpoint, standing)
    }
  }

  private register(endpoint: Endpoint, standing: Standing): void {
    const { process, world } = this
    const command = commandOf(endpoint)
    const registry = world.balanced(process.host)
    standing.asking = true
    world.network.request<Answers['register'][number] | undefined>(
      process,
      registry.address,
      (answer) => {
        void registry.api
          ?.execute({ kind: 'register', items: [command] }, callerAt(process.host))
          .then((done) => answer(done.answer[0]))
      },
      (result) => {
        standing.asking = false
        if (this.standings.get(endpoint) !== standing) return
        if (result === undefined) {
          this.missed([endpoint], registry)
          process.clock.setTimer(500, () => {
            if (this.standings.get(endpoint) === standing && !standing.asking && !standing.registered)
              this.register(endpoint, standing)
          })
        } else this.judged(endpoint, standing, result)
      },
      REQUEST_TIMEOUT_MS,
    )
  }

  private judged(endpoint: Endpoint, standing: Standing, result: Answers['register'][number]): void {
    this.world.note(this.name, () => `register ${endpoint.key.id}: ${result.ok ? 'ok' : result.error.code}`)
    if (result.ok) {
      standing.registered = true
      if (!endpoint.named) endpoint.incarnation = result.incarnation
    } else if (result.error.code === 'superseded') {
      const above = Number(result.error.details?.['incarnation'] ?? 0)
      if (endpoint.named) endpoint.incarnation = Math.max(above + 1, (endpoint.incarnation ?? 0) + 1)
      this.register(endpoint, standing)
    } else if (result.error.code === 'deregistered') this.anew(endpoint, standing)
    else this.conflict(endpoint, standing)
  }

  /** Another caller deregistered it: back after a while, as another incarnation. */
  private anew(endpoint: Endpoint, standing: Standing): void {
    standing.registered = false
    standing.holdUntil = this.process.clock.now() + 60_000
    if (endpoint.named)
      endpoint.incarnation = Math.max(this.process.clock.wallNow(), (endpoint.incarnation ?? 0) + 1)
    endpoint.excuse(this.world.queue.now + HOLD_OFF_MS)
  }

  private conflict(endpoint: Endpoint, standing: Standing): void {
    standing.registered = false
    standing.holdUntil = this.process.clock.now() + 30_000
    this.conflicts(endpoint)
  }

  private refOf(endpoint: Endpoint): ResolvedRef {
    return endpoint.named && endpoint.incarnation !== undefined
      ? { ...endpoint.key, incarnation: endpoint.incarnation }
      : endpoint.key
  }
}

/** The registration of an endpoint as the core takes it. */
export function commandOf(endpoint: Endpoint): RegisterCommand {
  const { key, host, port, leaseMs, vouch, named, incarnation, probed } = endpoint
  return {
    ...key,
    host,
    port,
    weight: weightIn(endpoint.process),
    metadata: metadataIn(endpoint.process),
    intent: 'up',
    leaseMs,
    liveness: vouch === 'probe' || vouch === 'static' ? vouch : 'lease',
    ...(probed ? {} : { probe: { type: 'none' as const } }),
    ...(named && incarnation !== undefined ? { incarnation, rev: 1 } : {}),
  }
}
