/** What a file in `commands/` exports. */
import type { Command } from 'commander'
import type { Shell } from './shell.js'

/** One command: its file says by its path what a person types. */
export interface CommandModule {
  /** Declares arguments, options, description and examples. */
  define(command: Command): void
  /** Runs it; resolves to the exit code. What goes wrong is thrown. */
  run(shell: Shell, command: Command): Promise<number>
}

/** Text below the options of a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`
}
