/** One cluster of the world: its registry, what that shows, and what must hold there. */
import type { Logger } from '@rollcall/core'
import type { NodeDriver } from '@rollcall/server'
import type { ViewName } from '@rollcall/wire'
import type { Invariant } from '../invariants/invariant.js'
import { listText, type SdkProgram } from '../programs/sdk-program.js'
import type { Scenario } from '../scenario.js'
import type { Endpoint, Obituary } from './endpoint.js'
import type { EventQueue } from '@rollcall/testkit/time'
import { SimJournal } from './journal.js'
import type { Network } from './network.js'
import { SimRegistry } from './registry.js'
import type { Scene } from './scene.js'
import { Trouble } from './trouble.js'
import { ViewBook } from './view-book.js'
import type { Witness } from './witness.js'
import type { World } from './world.js'

/** The side of one cluster. */
export class Side implements Scene {
  readonly cluster: number
  readonly registry: SimRegistry
  readonly book: ViewBook
  invariants: readonly Invariant[] = []
  private readonly world: World
  private own: readonly Endpoint[] | undefined

  constructor(
    world: World,
    cluster: number,
    views: readonly ViewName[],
    sabotage: ((driver: NodeDriver) => void) | undefined,
  ) {
    this.world = world
    this.cluster = cluster
    this.book = new ViewBook(views)
    const { scenario, queue, network } = world
    const name = cluster === 0 ? 'registry' : `registry-${cluster}`
    const process = world.process(name, `10.0.0.${cluster + 1}`)
    const journal = new SimJournal(queue, world.chanceOf(cluster === 0 ? 'journal' : `journal ${cluster}`))
    journal.commitMs = scenario.commitMs
    journal.onAppend = (entries) => {
      for (const invariant of this.invariants) invariant.journalled?.(entries)
    }
    process.onTurn = () => this.recordViews()
    this.registry = new SimRegistry({
      cluster,
      process,
      network,
      journal,
      trouble: new Trouble(),
      logger: this.logger(),
      witness: this.witness(),
      sabotage,
      liveness: scenario.liveness,
    })
  }

  get scenario(): Scenario {
    return this.world.scenario
  }

  get queue(): EventQueue {
    return this.world.queue
  }

  get network(): Network {
    return this.world.network
  }

  get endpoints(): readonly Endpoint[] {
    this.own ??= this.world.endpoints.filter(({ cluster }) => cluster === this.cluster)
    return this.own
  }

  get obituaries(): readonly Obituary[] {
    const { obituaries, sides } = this.world
    return sides.length === 1
      ? obituaries
      : obituaries.filter(({ endpoint }) => endpoint.cluster === this.cluster)
  }

  get consumers(): readonly SdkProgram[] {
    return this.world.consumers
  }

  violated(invariant: Invariant, message: string): never {
    return this.world.violated(invariant, message)
  }

  private note(text: () => string): void {
    this.world.note(this.registry.process.name, text)
  }

  private recordViews(): void {
    const { shown } = this.registry
    if (shown === undefined) return
    this.book.record(shown, this.queue.now, (name, view, before) => {
      if (name.group === undefined) {
        const guard = view.guard.tripped ? ` guard keeps ${view.guard.kept}` : ''
        this.note(() => `shows ${name.service} ${listText(view.instances)}${guard}`)
      }
      for (const invariant of this.invariants) invariant.viewed?.(name, view, before)
    })
  }

  private witness(): Witness {
    const all = (): readonly Invariant[] => this.invariants
    return {
      booted: (entries) => {
        this.note(() => `starts with ${entries.length} entries`)
        this.book.forgetPresent()
        for (const invariant of all()) invariant.booted?.(entries)
        this.recordViews()
      },
      ended: () => {
        this.note(() => 'is gone')
        for (const invariant of all()) invariant.ended?.()
      },
      executed: (...args) => {
        this.world.noting(() => {
          for (const invariant of all()) invariant.executed?.(...args)
        })
      },
      executing: (command) => {
        for (const invariant of all()) invariant.executing?.(command)
      },
      over: (command) => {
        for (const invariant of all()) invariant.over?.(command)
      },
      beaten: (...args) => {
        for (const invariant of all()) invariant.beaten?.(...args)
      },
    }
  }

  private logger(): Logger {
    const line = (fields: Readonly<Record<string, unknown>>, message: string): void =>
      this.note(() => `${message} ${JSON.stringify(fields)}`)
    return { error: line, warn: line, info: line, debug() {} }
  }
}
