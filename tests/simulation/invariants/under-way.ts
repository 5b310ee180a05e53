/** Commands that a node has done and not acknowledged yet, by the names of what they concern. */
import type { Command } from '@rollcall/core'

export class UnderWay {
  private readonly commands = new Map<string, Set<Command>>()

  begin(command: Command, names: readonly string[]): void {
    for (const name of names) {
      const known = this.commands.get(name) ?? new Set()
      this.commands.set(name, known.add(command))
    }
  }

  end(command: Command, names: readonly string[]): void {
    for (const name of names) {
      const known = this.commands.get(name)
      known?.delete(command)
      if (known?.size === 0) this.commands.delete(name)
    }
  }

  /** Whether this command concerns it still: of a node that ended meanwhile nothing is known. */
  has(name: string, command: Command): boolean {
    return this.commands.get(name)?.has(command) === true
  }

  /** Whether any does. */
  concerns(name: string): boolean {
    return this.commands.has(name)
  }

  /** The node ended: what was concerned. */
  drop(): string[] {
    const names = [...this.commands.keys()]
    this.commands.clear()
    return names
  }
}
