/** Options of the tools: `--help` prints the head of the script, a mistake one line. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/**
 * What `parseArgs` makes of the command line of the script at a URL. With `--help` it prints the comment with which the
 * script begins, and exits; for what the script does not know it says so, and exits with 2.
 */
export function readOptions(script, { options = {}, ...more } = {}) {
  let parsed
  try {
    parsed = parseArgs({ ...more, options: { ...options, help: { type: 'boolean', short: 'h' } } })
  } catch (error) {
    process.stderr.write(`${error.message}\nSee --help.\n`)
    return process.exit(2)
  }
  if (parsed.values.help !== true) return parsed
  process.stdout.write(`${headOf(readFileSync(fileURLToPath(script), 'utf8'))}\n`)
  return process.exit(0)
}

/** The text of the block comment with which a script begins. */
function headOf(text) {
  const [, comment = ''] = /^\/\*\*\n(.*?)\n \*\//s.exec(text) ?? []
  return comment.replaceAll(/^ \* ?/gm, '')
}
