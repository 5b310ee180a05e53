import { UsageError } from './exit-codes.js'

/**
 * Reads the settings that `serve` has no option for: `--ping-ms 1000` or `--ping-ms=1000`. Which there are, and what
 * they may hold, is the server's to judge. A setting given twice is a list.
 */
export function readServeFlags(
  args: readonly string[],
): Readonly<Record<string, string | readonly string[]>> {
  const flags = new Map<string, string | readonly string[]>()
  for (let at = 0; at < args.length; at++) {
    const text = args[at] ?? ''
    const match = /^--([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(text)
    if (match === null)
      throw new UsageError(`'${text}' is neither a flag nor the value of one; see 'rollcall serve --help'`)
    const [, name = '', inline] = match
    const next = args[at + 1]
    if (inline === undefined && (next === undefined || next.startsWith('--'))) {
      throw new UsageError(`--${name} needs a value, or is not a flag of serve; see 'rollcall serve --help'`)
    }
    if (inline === undefined) at++
    const before = flags.get(name)
    const value = inline ?? next ?? ''
    flags.set(name, before === undefined ? value : [before, value].flat())
  }
  return Object.fromEntries(flags)
}
