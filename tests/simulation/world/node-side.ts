/** One node of the world: its registry, what that shows, and what must hold there. */
import type { Logger } from '@rollcall/core'
import type { EventQueue } from '@rollcall/testkit/time'
import type { Invariant } from '../invariants/invariant.js'
import { listText, type SdkProgram } from '../programs/sdk-program.js'
import type { Scenario } from '../scenario.js'
import type { Endpoint, Obituary } from './endpoint.js'
import type { SimEngine } from './engine.js'
import { SimJournal } from './journal.js'
import type { Network } from './network.js'
import { SimRegistry } from './registry.js'
import type { Sabotage } from './sabotage.js'
import type { Scene } from './scene.js'
import type { Side } from './side.js'
import { Trouble } from './trouble.js'
import { type Archive, ViewBook } from './view-book.js'
import type { Witness } from './witness.js'
import type { World } from './world.js'

/** What the side of a node is made of. */
export interface NodeSideDeps {
  readonly world: World
  readonly side: Side
  /** Number of the node within its cluster. */
  readonly node: number
  readonly archive: Archive
  readonly sabotage: Sabotage['node'] | undefined
}

/** The side of one node. */
export class NodeSide implements Scene {
  readonly node: number
  readonly side: Side
  readonly registry: SimRegistry
  readonly book: ViewBook
  invariants: readonly Invariant[] = []
  private readonly world: World

  constructor({ world, side, node, archive, sabotage }: NodeSideDeps) {
    this.world = world
    this.side = side
    this.node = node
    this.book = new ViewBook(archive)
    const { scenario, queue, network } = world
    const { cluster } = side
    const name = nodeName(cluster, node)
    const process = world.process(name, nodeHost(cluster, node))
    const journal = new SimJournal(
      queue,
      world.chanceOf(name.replace('registry', 'journal').replace('-', ' ')),
    )
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
      engine: side.engine,
      chance: world.chanceOf(`member ${name}`),
    })
  }

  get cluster(): number {
    return this.side.cluster
  }

  get engine(): SimEngine | undefined {
    return this.side.engine
  }

  get nodes(): readonly Scene[] {
    return this.side.nodes
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
    return this.side.endpoints
  }

  get obituaries(): readonly Obituary[] {
    return this.side.obituaries
  }

  get consumers(): readonly SdkProgram[] {
    return this.world.consumers
  }

  violated(invariant: Invariant, message: string): never {
    const where = this.nodes.length === 1 ? '' : `${this.registry.process.name}: `
    return this.world.violated(invariant, where + message)
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

/** What a node is called in transcripts. */
function nodeName(cluster: number, node: number): string {
  const name = cluster === 0 ? 'registry' : `registry-${cluster}`
  return node === 0 ? name : `${name}.${node}`
}

/** Where a node runs. */
export function nodeHost(cluster: number, node: number): string {
  return `10.0.${node}.${cluster + 1}`
}
