import type { Instance, ServerMessage, ViewName } from '@rollcall/wire'
import {
  type ClientEffect,
  type ClientEvent,
  type ClientMachine,
  createClientMachine,
  createIncarnations,
  machineSettings,
  type StoredList,
  type Token,
  viewKey,
} from '@rollcall/client/internal'
import type { Network } from '../world/network.js'
import type { SimProcess } from '../world/process.js'
import type { Chance } from '../world/random.js'
import type { StreamEnd } from '../world/stream.js'

type Effect<T extends ClientEffect['type']> = Extract<ClientEffect, { readonly type: T }>

/** What a process wants to hear of its client. */
export interface MachineListener {
  list(effect: Effect<'list'>): void
  candidates(effect: Effect<'candidates'>): void
  registration(effect: Effect<'registration'>): void
  log(effect: Effect<'log'>): void
}

/** What a machine runs on. */
export interface MachineHostDeps {
  readonly process: SimProcess
  readonly network: Network
  readonly chance: Chance
  readonly registry: { readonly host: string; readonly port: number }
  /** Snapshots of this process's machine: they outlive the process. */
  readonly snapshots: Map<string, StoredList & { readonly savedAt: number }>
  readonly listener: MachineListener
}

/** One life of a client: the real machine with simulated sockets, timers and files. */
export class MachineHost {
  readonly machine: ClientMachine
  private readonly deps: MachineHostDeps
  private readonly connections = new Map<number, StreamEnd>()
  private readonly calls = new Map<Token, (error: Error | undefined) => void>()
  private nextToken = 1
  private cancelTimer: () => void = () => {}

  constructor(deps: MachineHostDeps) {
    const { process, chance } = deps
    this.deps = deps
    this.machine = createClientMachine([
      machineSettings({
        urls: ['sim://registry'],
        random: () => chance.fraction(),
        incarnations: createIncarnations(process.clock.wallNow()),
        snapshots: true,
      }),
    ])
    this.dispatch({ type: 'start' })
  }

  /** Whether every call was settled. */
  get settled(): boolean {
    return this.calls.size === 0
  }

  dispatch(event: ClientEvent): void {
    const { clock } = this.deps.process
    for (const effect of this.machine.step(clock.now(), [event])) this.carryOut(effect)
    this.arm()
  }

  /** Dispatches a call; `settled` hears how it ended. */
  call(build: (token: Token) => ClientEvent, settled: (error: Error | undefined) => void): void {
    const token = this.nextToken++
    this.calls.set(token, settled)
    this.dispatch(build(token))
  }

  watch(names: readonly ViewName[]): void {
    this.dispatch({ type: 'watch', names })
  }

  /** A call to an instance ended. */
  called(name: ViewName, instance: Instance, answered: boolean): void {
    this.dispatch({ type: answered ? 'succeeded' : 'failed', key: viewKey(name), instance })
  }

  /** The streams it holds. */
  get streams(): readonly StreamEnd[] {
    return [...this.connections.values()]
  }

  private arm(): void {
    this.cancelTimer()
    const deadline = this.machine.deadline()
    const { clock } = this.deps.process
    this.cancelTimer =
      deadline === undefined
        ? () => {}
        : clock.setTimer(Math.max(0, deadline - clock.now()), () => this.dispatch({ type: 'tick' }))
  }

  private carryOut(effect: ClientEffect): void {
    const { listener } = this.deps
    switch (effect.type) {
      case 'dial':
        return this.dial(effect.connection)
      case 'send':
        return this.connections.get(effect.connection)?.send(JSON.stringify(effect.message))
      case 'drop':
        this.connections.get(effect.connection)?.close(effect.code, effect.reason)
        this.connections.delete(effect.connection)
        return
      case 'resolve':
      case 'reject':
        return this.settle(effect)
      case 'loadSnapshot':
      case 'saveSnapshot':
        return this.snapshot(effect)
      case 'log':
        return listener.log(effect)
      case 'list':
        return listener.list(effect)
      case 'candidates':
        return listener.candidates(effect)
      case 'registration':
        return listener.registration(effect)
    }
  }

  private settle(effect: Effect<'resolve' | 'reject'>): void {
    const settled = this.calls.get(effect.token)
    this.calls.delete(effect.token)
    settled?.(effect.type === 'reject' ? effect.error : undefined)
  }

  private dial(connection: number): void {
    const { process, network, registry } = this.deps
    const end = network.dial(process, registry.host, registry.port, {
      opened: () => this.dispatch({ type: 'opened', connection }),
      message: (text) =>
        this.dispatch({ type: 'message', connection, message: JSON.parse(text) as ServerMessage }),
      closed: (code, reason) => {
        this.connections.delete(connection)
        this.dispatch({ type: 'closed', connection, reason, ...(code === undefined ? {} : { code }) })
      },
    })
    this.connections.set(connection, end)
  }

  private snapshot(effect: Effect<'loadSnapshot' | 'saveSnapshot'>): void {
    const { snapshots, process, chance } = this.deps
    const { cluster, key } = effect
    if (effect.type === 'saveSnapshot') {
      snapshots.set(key, { ...effect.stored, savedAt: process.clock.wallNow() })
      return
    }
    const stored = snapshots.get(key)
    const ageMs =
      stored === undefined ? 0 : stored.ageMs + Math.max(0, process.clock.wallNow() - stored.savedAt)
    process.clock.setTimer(chance.between(1, 30), () =>
      this.dispatch({
        type: 'snapshot',
        cluster,
        key,
        ...(stored === undefined ? {} : { stored: { ...stored, ageMs } }),
      }),
    )
  }
}
