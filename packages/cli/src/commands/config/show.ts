/** `rollcall config show`: every setting that `serve` would run with, and its origin. */
import { loadConfig, SETTINGS, type SettingValue, writeValue } from '@rollcall/server'
import { examples, type CommandModule } from '../../command.js'
import { EXIT } from '../../exit-codes.js'
import { createOutput } from '../../output.js'
import { addServeFlags, readServeFlags } from '../../serve-flags.js'
import type { Column } from '../../table.js'

const COLUMNS: readonly Column<SettingValue>[] = [
  { title: 'SETTING', text: ({ key }) => key },
  { title: 'VALUE', key: true, text: textOf },
  {
    title: 'ORIGIN',
    text: ({ origin: { source, name } }) => (source === 'default' ? source : name),
    style: ({ origin }) => (origin.source === 'default' ? 'dim' : 'cyan'),
  },
]

export const show: CommandModule = {
  define(command) {
    addServeFlags(command)
      .description(
        'Print every setting that `rollcall serve` would run with here, and where it comes from: a flag, a variable, the file, or the default. Takes the flags of serve. What is wrong is reported all at once, with 2.',
      )
      .option('--json', 'JSON for scripts, one document in a line')
      .addHelpText(
        'after',
        examples(
          'rollcall config show',
          'rollcall config show --config staging.yaml --log-level debug --json',
        ),
      )
  },

  run(shell, command) {
    const { json, ...flags } = readServeFlags(command)
    const { settings } = loadConfig({ flags, env: shell.env })
    const output = createOutput(shell)
    if (json === true)
      output.json({ settings: settings.map((setting) => ({ ...setting, value: setting.value ?? null })) })
    else output.table(COLUMNS, settings)
    return Promise.resolve(EXIT.ok)
  },
}

function textOf({ key, value }: SettingValue): string {
  const setting = SETTINGS.find((each) => each.key === key)
  return writeValue({ kind: setting?.kind ?? 'json' }, value)
}
