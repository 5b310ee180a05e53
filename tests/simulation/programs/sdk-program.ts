import {
  type Balancer,
  createWeighted,
  type ListChange,
  type MirrorChange,
  type RegistrationPatch,
  type StoredList,
  viewKey,
} from '@rollcall/client/internal'
import type { Instance, Intent, ViewName } from '@rollcall/wire'
import { MachineHost, type MachineListener } from './machine-host.js'
import { Program, type ProgramDeps } from './program.js'
import { HOLD_OFF_MS, RECOVERY_MS } from '../world/surroundings.js'
import type { Trouble } from '../world/trouble.js'

/** A watched view as the program has it. */
export interface WatchedList {
  readonly name: ViewName
  list: readonly Instance[]
  source: ListChange['source']
  removes: MirrorChange['removes']
  candidates: readonly Instance[]
  readonly balancer: Balancer
}

/** What an SDK program is made of. */
export interface SdkProgramDeps extends ProgramDeps {
  readonly watches: readonly ViewName[]
  readonly trouble: Trouble
  /** Between two calls of each watched service. */
  readonly callMs: number
}

/** A call that is not answered in this time failed. */
const CALL_TIMEOUT_MS = 1_000

/** A process with the SDK in it: it registers, watches and calls. */
export class SdkProgram extends Program {
  readonly trouble: Trouble
  /** From when on its lists may be demanded to be right. */
  owedFrom: number = Infinity
  readonly lists: Map<string, WatchedList> = new Map()
  host: MachineHost | undefined
  private readonly watches: readonly ViewName[]
  private readonly callMs: number
  private readonly snapshots = new Map<string, StoredList & { readonly savedAt: number }>()

  constructor(deps: SdkProgramDeps) {
    super(deps)
    this.trouble = deps.trouble
    this.watches = deps.watches
    this.callMs = deps.callMs
  }

  /** Whether it runs and its lists may be expected to be right. */
  owed(now: number): boolean {
    return this.process.alive && !this.process.paused && now >= this.owedFrom && now >= this.trouble.calmFrom
  }

  /** Changes what it says of one of its endpoints. */
  update(index: number, patch: RegistrationPatch, intent: Intent | undefined): void {
    const { host, endpoints, process } = this
    const handle = index % Math.max(1, endpoints.length)
    const endpoint = endpoints[handle]
    if (host === undefined || endpoint === undefined || !process.alive) return
    process.deliver(() => {
      if (this.host !== host) return
      if (intent !== undefined) endpoint.intent = intent
      // Whatever it says now has to reach the registry first.
      endpoint.excuse(this.world.queue.now + RECOVERY_MS)
      host.call(
        (token) => ({ type: 'update', token, handle, patch, ...(intent === undefined ? {} : { intent }) }),
        () => {},
      )
    })
  }

  protected begin(): void {
    const { world, process, chance } = this
    this.lists.clear()
    this.owedFrom = world.queue.now + RECOVERY_MS
    const host = new MachineHost({
      process,
      network: world.network,
      chance: chance.fork(process.life),
      registry: world.registry.address,
      snapshots: this.snapshots,
      listener: this.listener(),
    })
    this.host = host
    for (const name of this.watches) {
      const balancer = createWeighted(() => chance.fraction())
      this.lists.set(viewKey(name), { name, list: [], source: 'none', removes: [], candidates: [], balancer })
    }
    host.watch(this.watches)
    if (this.endpoints.length > 0) this.register(host)
    if (this.watches.length > 0) this.call()
  }

  protected farewell(exit: () => void): void {
    if (this.host === undefined) return exit()
    this.host.call((token) => ({ type: 'close', token }), exit)
  }

  protected override ended(): void {
    this.host = undefined
    this.lists.clear()
  }

  private register(host: MachineHost): void {
    const items = this.endpoints.map((endpoint, handle) => ({
      handle,
      intent: endpoint.intent,
      spec: {
        ...endpoint.key,
        host: endpoint.host,
        port: endpoint.port,
        leaseMs: endpoint.leaseMs,
        ...(endpoint.probed ? {} : { probe: { type: 'none' as const } }),
      },
    }))
    host.call(
      (token) => ({ type: 'register', token, items }),
      (error) => {
        if (error === undefined) return
        // Refused as a whole: as a supervisor would, the program tries again a little later.
        this.world.note(this.name, () => `register() failed: ${error.message}`)
        for (const endpoint of this.endpoints) this.conflicts(endpoint)
        this.process.clock.setTimer(5_000, () => {
          if (this.host === host) this.register(host)
        })
      },
    )
  }

  private listener(): MachineListener {
    const { world } = this
    return {
      list: ({ key, change }) => {
        const watched = this.lists.get(key)
        if (watched === undefined) return
        watched.list = change.instances
        watched.source = change.source
        watched.removes = change.removes
        world.note(
          this.name,
          () => `sees ${watched.name.service} ${change.source} ${listText(change.instances)}`,
        )
        world.listed(this, watched.name, change)
      },
      candidates: ({ key, candidates }) => {
        const watched = this.lists.get(key)
        if (watched === undefined) return
        watched.candidates = candidates
        watched.balancer.update(candidates)
      },
      registration: ({ handle, state, incarnation }) => {
        const endpoint = this.endpoints[handle]
        if (endpoint === undefined) return
        endpoint.incarnation = incarnation
        world.note(this.name, () => `registration of ${endpoint.key.id}: ${state} as ${incarnation}`)
        if (state === 'conflict') this.conflicts(endpoint)
        if (state === 'removed') endpoint.excuse(world.queue.now + HOLD_OFF_MS)
      },
      log: ({ message, fields }) => {
        world.note(this.name, () => `${message} ${JSON.stringify(fields)}`)
        if (message === 'registry connection lost') world.disconnected(this, String(fields['reason']))
      },
    }
  }

  /** Calls one instance of each watched service, again and again. */
  private call(): void {
    const { process, world } = this
    const { host } = this
    process.clock.setTimer(this.callMs, () => this.call())
    for (const watched of this.lists.values()) {
      const instance = watched.balancer.pick()
      if (instance === undefined || host === undefined) continue
      world.chosen(this, instance)
      world.network.knock(process.host, instance.host, instance.port, CALL_TIMEOUT_MS, (state) => {
        const hung = world.obituaries.some(
          (dead) => dead.hung && dead.host === instance.host && dead.port === instance.port,
        )
        const answered = state === 'accepts' && !hung
        world.queue.after(hung && state === 'accepts' ? CALL_TIMEOUT_MS : 0, () =>
          process.deliver(() => {
            if (this.host === host) host.called(watched.name, instance, answered)
          }),
        )
      })
    }
  }
}

/** A list in a line. */
export function listText(list: readonly Instance[]): string {
  const texts = list.map(
    ({ id, state, incarnation, reason }) =>
      `${id}#${incarnation % 1_000_000} ${state}${reason === undefined ? '' : ` (${reason})`}`,
  )
  return `[${texts.join(', ')}]`
}
