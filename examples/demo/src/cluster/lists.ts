/** Looks at the lists of all nodes all the time: an instance that lives and is missing anywhere, for a moment, is noted. */
import type { ClusterNode } from './nodes.js'

const LOOK_MS = 100

export class Lists {
  /** What was wrong, and how often it was seen. */
  readonly faults: Map<string, number> = new Map()
  /** Lists that were read. */
  read = 0
  private readonly service: string
  private readonly living = new Set<string>()
  private looking = true

  constructor(nodes: readonly ClusterNode[], service: string) {
    this.service = service
    for (const node of nodes) void this.follow(node)
  }

  expect(id: string): void {
    this.living.add(id)
  }

  release(id: string): void {
    this.living.delete(id)
  }

  close(): void {
    this.looking = false
  }

  private async follow(node: ClusterNode): Promise<void> {
    while (this.looking) {
      if (node.runs) await this.look(node)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }

  private async look(node: ClusterNode): Promise<void> {
    const living = [...this.living]
    // A node that dies under the question has no list.
    const view = await node.view(this.service).catch(() => undefined)
    if (view === undefined) return
    this.read++
    const states = new Map(view.instances.map(({ id, state }) => [id, state]))
    for (const id of living) {
      const state = states.get(id) ?? 'missing'
      if (state !== 'up' && this.living.has(id)) this.note(`${id} was ${state} at ${node.name}`)
    }
  }

  private note(fault: string): void {
    this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1)
  }
}
