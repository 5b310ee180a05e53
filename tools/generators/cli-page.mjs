/** docs/reference/cli.md: every command with its help, as the program itself prints it. */
import { createProcessShell, createWholeProgram } from '@rollcall/cli'

/** Columns of the help; what most screens have. */
const WIDTH = 100

export async function cliPage(note) {
  const program = await createWholeProgram(createProcessShell())
  const commands = program.commands.flatMap((command) =>
    command.commands.length > 0
      ? command.commands.map((inner) => ({ name: `${command.name()} ${inner.name()}`, command: inner }))
      : [{ name: command.name(), command }],
  )
  const rows = commands.map(
    ({ name, command }) =>
      `| [\`rollcall ${name}\`](#rollcall-${name.replaceAll(' ', '-')}) | ${command.summary()} |`,
  )
  const sections = commands.map(
    ({ name, command }) => `## rollcall ${name}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`,
  )
  return `# Commands

${note}

What \`rollcall help COMMAND\` prints, for every command. [The guide](../guide/cli.md) shows them at work.

| command | what it does |
| --- | --- |
${rows.join('\n')}

${sections.join('\n')}`
}

function helpOf(command) {
  let text = ''
  command
    .configureOutput({
      writeOut: (part) => (text += part),
      getOutHelpWidth: () => WIDTH,
      getOutHasColors: () => false,
    })
    .outputHelp()
  return text.trimEnd()
}
