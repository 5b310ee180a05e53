/** rollcall(1), made of the same help as docs/reference/cli.md. */
import { createProcessShell, createWholeProgram } from '@rollcall/cli'

/** The page as roff. `date` is its day, as YYYY-MM-DD. */
export async function manPage(version, date) {
  const program = await createWholeProgram(createProcessShell())
  const leaves = program.commands.flatMap((command) =>
    command.commands.length > 0
      ? command.commands.map((inner) => ({ name: `${command.name()} ${inner.name()}`, command: inner }))
      : [{ name: command.name(), command }],
  )
  return [
    `.TH ROLLCALL 1 "${date}" "Rollcall ${version}" "User Commands"`,
    '.SH NAME\nrollcall \\- a service registry: which instances can take a call, now',
    '.SH SYNOPSIS\n.B rollcall\n.I COMMAND\n[options]',
    '.SH COMMANDS',
    ...leaves.flatMap(({ name, command }) => section(program, name, command)),
    '.SH EXIT STATUS\n0 ok, 1 failed, 2 wrong usage, 3 no registry reached or timed out.',
    '.SH ENVIRONMENT\n.TP\n.B ROLLCALL_REGISTRY\nWhere the registry is; default http://127.0.0.1:7400.\n.TP\n.B ROLLCALL_*\nSettings of a node, as the flags of rollcall serve.\n.TP\n.B NODE_OPTIONS\nOptions of the runtime, such as --max-old-space-size.',
    '.SH FILES\n.TP\n.I /etc/rollcall/rollcall.yaml\nSettings of the node that the system starts.\n.TP\n.I /var/lib/rollcall\nIts journal.',
    '',
  ].join('\n')
}

function section(program, name, command) {
  const help = program.createHelp()
  const options = help.visibleOptions(command).filter(({ long }) => long !== '--help')
  return [
    `.SS rollcall ${plain(name)}`,
    plain(help.commandDescription(command)),
    ...options.map((option) => `.TP\n.B ${plain(option.flags)}\n${plain(help.optionDescription(option))}`),
  ]
}

/** Text in which roff sees no command and no escape of its own. */
function plain(text) {
  const escaped = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/\s*\n\s*/g, ' ')
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped
}
