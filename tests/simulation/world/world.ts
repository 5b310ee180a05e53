/** The world: nodes, programs, network and time, in one process. */
import type { ListChange, MergeMode } from '#client/internal'
import type { Caller, Registry } from '@rollcall/core'
import type { Instance, ViewName } from '@rollcall/wire'
import { BareProgram } from '../programs/bare-program.js'
import { callerAt } from './callers.js'
import { Endpoint, type Obituary, type Vouch } from './endpoint.js'
import { EventQueue } from '@rollcall/testkit/time'
import { carryOut } from '../faults/fault-effects.js'
import { faultText } from '../faults/fault.js'
import { HttpProgram } from '../programs/http-program.js'
import { type Invariant, InvariantViolation } from '../invariants/invariant.js'
import { Network } from './network.js'
import { SimProcess } from './process.js'
import type { Program, ProgramDeps } from '../programs/program.js'
import { Chance } from './random.js'
import type { SimRegistry } from './registry.js'
import type { Sabotage } from './sabotage.js'
import { Side } from './side.js'
import type { ProgramPlan, Scenario, Speech } from '../scenario.js'
import { SdkProgram } from '../programs/sdk-program.js'
import { HOLD_OFF_MS, type Surroundings } from './surroundings.js'
import { Trouble } from './trouble.js'

export interface WorldOptions {
  readonly sabotage?: Sabotage
  /** Takes a line of the transcript. */
  readonly transcript?: (line: string) => void
}

/** How often invariants look at everything. */
const LOOK_MS = 250

/** Events beyond which a run is not getting anywhere: a hundred times as many as usual. */
const EVENTS_MAX = 2_000_000

/** Turns of the microtask queue after each turn of a process: more than the longest chain of promises needs. */
const MICROTASK_TURNS = 40

/** Awaiting it takes one turn of the microtask queue. */
const SETTLED = Promise.resolve()

const VOUCH: Readonly<Record<Speech, Vouch>> = {
  sdk: 'session',
  beats: 'beats',
  curl: 'beats',
  probed: 'probe',
  static: 'static',
}

/** Nodes, programs and all that can happen to them, in simulated time. */
export class World implements Surroundings {
  readonly queue: EventQueue = new EventQueue()
  readonly network: Network
  readonly sides: readonly Side[]
  readonly programs: readonly Program[]
  readonly endpoints: readonly Endpoint[]
  readonly operator: SimProcess
  readonly scenario: Scenario
  obituaries: Obituary[] = []
  /** Disturbances of probes. */
  readonly probing: Trouble = new Trouble()
  private readonly options: WorldOptions
  private readonly chance: Chance
  private readonly troubles = new Map<string, Trouble>()
  private readonly byName: ReadonlyMap<string, Program>
  private readonly ongoing = new Set<() => void>()
  private stirred = false
  private failure: Error | undefined

  constructor(scenario: Scenario, options: WorldOptions = {}) {
    this.scenario = scenario
    this.options = options
    this.chance = new Chance(`world ${scenario.seed}`)
    this.network = new Network(this.queue, this.chance.fork('network'))
    const views = viewsOf(scenario)
    this.sides = Array.from(
      { length: scenario.clusters },
      (_, cluster) => new Side(this, cluster, views, options.sabotage?.node),
    )
    this.operator = this.process('operator', '10.3.0.1')
    this.programs = scenario.programs.map((plan) => this.createProgram(plan))
    this.byName = new Map(this.programs.map((program) => [program.name, program]))
    this.endpoints = this.programs.flatMap(({ endpoints }) => endpoints)
  }

  /** Watches over what happens from now on: what must hold at each node of each cluster. */
  watch(invariants: readonly (readonly (readonly Invariant[])[])[]): void {
    this.sides.forEach(({ cluster, nodes }) => {
      for (const node of nodes) node.invariants = invariants[cluster]?.[node.node] ?? []
    })
  }

  get clusters(): readonly (readonly SimRegistry[])[] {
    return this.sides.map(({ registries }) => registries)
  }

  balanced(host: string): SimRegistry {
    return this.sides[0]!.balancer.next(host)
  }

  get merge(): MergeMode {
    return this.scenario.merge
  }

  /** A stream of chance. */
  chanceOf(name: string): Chance {
    return this.chance.fork(name)
  }

  /** Lets everything happen. Rejects with InvariantViolation, or with what the code under test threw. */
  async run(): Promise<void> {
    const restore = this.options.sabotage?.everywhere?.()
    try {
      await this.happen()
    } finally {
      restore?.()
    }
  }

  private async happen(): Promise<void> {
    const { scenario, queue, clusters, operator, programs } = this
    for (const registry of clusters.flat()) registry.boot()
    operator.start()
    scenario.programs.forEach((plan, index) =>
      queue.at(plan.startAt, () => (programs[index] as Program).boot()),
    )
    for (const fault of scenario.faults) {
      queue.at(fault.at, () => {
        this.note('world', () => faultText(fault).replace(/^\S+ s /, ''))
        carryOut(this, fault)
      })
    }
    queue.at(scenario.healAt, () => this.heal())
    queue.after(LOOK_MS, () => this.look())
    while (queue.step(scenario.endAt)) {
      if (queue.count > EVENTS_MAX) throw new Error(`${queue.count} events, and still going on`)
      if (!this.stirred) continue
      this.stirred = false
      for (let turn = 0; turn < MICROTASK_TURNS; turn++) await SETTLED
      if (this.failure !== undefined) throw this.failure
    }
    for (const invariant of this.invariants()) invariant.healed?.()
  }

  violated(invariant: Invariant, message: string): never {
    const violation = new InvariantViolation(invariant.name, this.queue.now, message)
    // Kept as well: not every caller of this lets it pass.
    this.failed(violation)
    throw violation
  }

  /** Something failed that nothing waits for; the first such failure ends the run. */
  failed(error: unknown): void {
    this.failure ??= error instanceof Error ? error : new Error(String(error))
  }

  note(actor: string, text: () => string): void {
    const seconds = (this.queue.now / 1_000).toFixed(3)
    this.options.transcript?.(`${seconds.padStart(8)}  ${actor.padEnd(12)} ${text()}`)
  }

  process(name: string, host: string): SimProcess {
    return new SimProcess(name, host, {
      queue: this.queue,
      chance: this.chance.fork(`process ${name}`),
      ran: () => {
        this.stirred = true
      },
      failed: (error) => this.failed(error),
    })
  }

  program(name: string): Program {
    const program = this.byName.get(name)
    if (program === undefined) throw new Error(`there is no program ${name}`)
    return program
  }

  programsOn(host: string): readonly Program[] {
    return this.programs.filter(({ process }) => process.host === host)
  }

  /** Programs with a client that watches. */
  get consumers(): readonly SdkProgram[] {
    return this.programs.filter((program) => program instanceof SdkProgram)
  }

  get hosts(): readonly string[] {
    return [...new Set(this.programs.map(({ process }) => process.host))]
  }

  troubleOf(host: string): Trouble {
    let trouble = this.troubles.get(host)
    if (trouble === undefined) {
      trouble = new Trouble()
      this.troubles.set(host, trouble)
    }
    return trouble
  }

  /** Something that ends by itself after `ms`, and when everything heals. */
  lasting(ms: number, end: () => void): void {
    let over = false
    const finish = (): void => {
      if (over) return
      over = true
      this.ongoing.delete(finish)
      end()
    }
    this.ongoing.add(finish)
    this.queue.after(ms, finish)
  }

  /** Another caller deregisters an endpoint. */
  dismissed(endpoint: Endpoint): void {
    const silent = endpoint.vouch === 'probe' || endpoint.vouch === 'static'
    endpoint.dismissedAs = endpoint.incarnation
    // One that never looks back stays out, also when it hears of its registration only now.
    if (silent) endpoint.wanted = false
    else endpoint.excuse(this.queue.now + HOLD_OFF_MS)
  }

  /** A call of an operator: one attempt. */
  operate(registry: SimRegistry, call: (api: Registry, caller: Caller) => Promise<unknown>): void {
    this.network.request<true>(
      this.operator,
      registry.address,
      (answer) => {
        const { api } = registry
        if (api === undefined) return
        call(api, callerAt(this.operator.host)).then(
          () => answer(true),
          (error: unknown) => this.note('operator', () => String(error)),
        )
      },
      (done) => this.note('operator', () => (done === true ? 'is answered' : 'is not answered')),
      3_000,
    )
  }

  bury(process: SimProcess, endpoints: readonly Endpoint[], hung: boolean): void {
    this.exhume(endpoints)
    for (const endpoint of endpoints) {
      const { incarnation, port } = endpoint
      this.obituaries.push({ endpoint, incarnation, host: process.host, port, at: this.queue.now, hung })
    }
  }

  exhume(endpoints: readonly Endpoint[]): void {
    this.obituaries = this.obituaries.filter(({ endpoint, hung }) => !hung || !endpoints.includes(endpoint))
  }

  /** Without incarnations, a new process at the same address is the same instance. */
  revive(revived: Endpoint): void {
    this.obituaries = this.obituaries.filter(
      ({ endpoint, port }) => endpoint !== revived || endpoint.named || port !== revived.port,
    )
  }

  listed(program: SdkProgram, name: ViewName, change: ListChange): void {
    for (const invariant of this.invariants()) invariant.listed?.(program, name, change)
  }

  refused(program: SdkProgram, instance: Instance): void {
    for (const invariant of this.invariants()) invariant.refused?.(program, instance)
  }

  left(program: Program, known: readonly Endpoint[], ms: number): void {
    this.noting(() => {
      for (const invariant of this.invariants()) invariant.left?.(program, known, ms)
    })
  }

  hangs(host: string, port: number): boolean {
    return this.obituaries.some((dead) => dead.hung && dead.host === host && dead.port === port)
  }

  disconnected(program: SdkProgram, cluster: number, reason: string): void {
    const nodes = this.sides[cluster]?.nodes ?? []
    for (const invariant of nodes.flatMap(({ invariants }) => invariants))
      invariant.disconnected?.(program, reason)
  }

  private invariants(): readonly Invariant[] {
    return this.sides.flatMap(({ nodes }) => nodes.flatMap(({ invariants }) => invariants))
  }

  private heal(): void {
    this.note('world', () => 'heals')
    for (const finish of [...this.ongoing]) finish()
  }

  private look(): void {
    this.queue.after(LOOK_MS, () => this.look())
    for (const side of this.sides) side.look()
    for (const invariant of this.invariants()) invariant.looked?.()
  }

  /** Runs something within a promise of the code under test, which must not be the one to fail. */
  noting(run: () => void): void {
    try {
      run()
    } catch (error) {
      if (this.failure === undefined) throw error
    }
  }

  private createProgram(plan: ProgramPlan): Program {
    const { name, host, speech, leaseMs, probed, moves, contested, watches } = plan
    const process = this.process(name, host)
    const trouble = this.troubleOf(host)
    const vouch = VOUCH[speech]
    // What does not speak the SDK is registered in one cluster only.
    const clusters = speech === 'sdk' ? this.sides.map(({ cluster }) => cluster) : [0]
    const endpoints = clusters.flatMap((cluster) =>
      plan.endpoints.map(
        ({ service, group, id, port }) =>
          new Endpoint({
            cluster,
            key: { namespace: 'default', service, group, id },
            vouch,
            leaseMs,
            named: speech === 'sdk' || speech === 'beats',
            probed,
            contested,
            process,
            trouble,
            probing: vouch === 'probe' ? this.probing : undefined,
            host,
            port,
          }),
      ),
    )
    const chance = this.chance.fork(`program ${name}`)
    const deps: ProgramDeps = { world: this, process, endpoints, chance, moves }
    if (speech === 'sdk')
      return new SdkProgram({ ...deps, watches, trouble, callMs: chance.between(300, 1_500) })
    if (speech === 'beats' || speech === 'curl') return new HttpProgram({ ...deps, renews: plan.renews })
    return new BareProgram({ ...deps, registrant: this.operator })
  }
}

/** Every view that a scenario can produce. */
function viewsOf({ programs }: Scenario): ViewName[] {
  const names = new Map<string, ViewName>()
  const note = (name: ViewName): unknown => names.set(`${name.service}/${name.group ?? ''}`, name)
  for (const { endpoints, watches } of programs) {
    for (const { service, group } of endpoints) {
      note({ namespace: 'default', service })
      note({ namespace: 'default', service, group })
    }
    for (const watch of watches) note(watch)
  }
  return [...names.values()]
}
