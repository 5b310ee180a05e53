/** `rollcall config check`: whether a node would take these settings. */
import { loadConfig, type ConfigOrigin, type LoadedConfig } from '@rollcall/server'
import { examples, type CommandModule } from '../../command.js'
import { EXIT } from '../../exit-codes.js'
import { createOutput } from '../../output.js'
import { addServeFlags, readServeFlags } from '../../serve-flags.js'

export const check: CommandModule = {
  define(command) {
    addServeFlags(command)
      .description(
        'Check the settings that `rollcall serve` would run with here, as a start does, before a restart: 0 when a node takes them, 2 with all that is wrong. Takes the flags of serve. Starts nothing and touches neither the data nor the port.',
      )
      .option('--json', 'JSON for scripts, one document in a line')
      .addHelpText(
        'after',
        examples(
          'rollcall config check',
          'rollcall config check --config staging.yaml && systemctl restart rollcall',
        ),
      )
  },

  run(shell, command) {
    const { json, ...flags } = readServeFlags(command)
    const loaded = loadConfig({ flags, env: shell.env })
    const output = createOutput(shell)
    if (json === true) output.json({ ok: true })
    else output.line(`the configuration is fine: ${sourcesOf(loaded)}`)
    return Promise.resolve(EXIT.ok)
  },
}

/** How many settings come from where, such as `1 from flags, 2 from rollcall.yaml, 39 defaults`. */
function sourcesOf({ settings }: LoadedConfig): string {
  const told = SOURCES.flatMap(([source, words]) => {
    const from = settings.filter(({ origin }) => origin.source === source)
    return from.length === 0 ? [] : [`${from.length} ${words ?? `from ${from[0]?.origin.name}`}`]
  })
  return told.join(', ')
}

/** In order of their strength; a file is called by its name. */
const SOURCES: readonly (readonly [source: ConfigOrigin['source'], words?: string])[] = [
  ['flag', 'from flags'],
  ['environment', 'from variables'],
  ['file'],
  ['default', 'defaults'],
]
