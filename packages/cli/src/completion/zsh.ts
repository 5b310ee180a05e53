import type { Candidates, CommandOutline, OptionOutline, Outline } from './outline.js'

/** The script for zsh: its own `_arguments` does the work, and shows what each word means. */
export function zshScript({ commands, groups }: Outline): string {
  const top = [
    ...groups.map(({ name, summary }) => ({ name, summary })),
    ...commands
      .filter(({ words }) => words.length === 1)
      .map(({ words, summary }) => ({ name: words[0] ?? '', summary })),
  ]
  return `#compdef rollcall
# Completion of rollcall in zsh, written by \`rollcall completion zsh\`.

# One column of what the registry has. One that does not answer at once completes nothing.
_rollcall_ask() {
  local column=$1
  shift
  local -a found registry
  [[ -n \${opt_args[--registry]} ]] && registry=(--registry "\${opt_args[--registry]}")
  found=(\${(fu)"$(_call_program names rollcall \${(q)@} \${(q)registry} --timeout 500ms 2>/dev/null |
    awk -v column=$column 'NR > 1 && $column ~ /^[][A-Za-z0-9._:-]+$/ { print $column }')"})
  compadd -a found
}

_rollcall_services() { _rollcall_ask 2 services --namespace "\${opt_args[--namespace]:-default}" }
_rollcall_namespaces() { _rollcall_ask 1 services }
_rollcall_ids() { _rollcall_ask 2 instances "\${line[1]}" --namespace "\${opt_args[--namespace]:-default}" }

_rollcall() {
  local curcontext=$curcontext state
  local -a line
  local -A opt_args
${described('  ', top, '--help[explain the program]', '--version[print the version]')}
${groups.map(({ name }) => groupCase(name, commands)).join('\n')}
${commands
  .filter(({ words }) => words.length === 1)
  .map((command) => commandCase('    ', command))
  .join('\n')}
  esac
}

# Both sourced and found in $fpath.
if [[ $funcstack[1] == _rollcall ]]; then
  _rollcall "$@"
else
  compdef _rollcall rollcall
fi
`
}

/** The words to choose from, and the beginning of the case that goes on by the chosen one. */
function described(
  indent: string,
  choices: readonly { readonly name: string; readonly summary: string }[],
  ...options: readonly string[]
): string {
  const lines = [
    `_arguments -C ${options.map((option) => `'${option}' `).join('')}'1: :->word' '*:: :->rest' && return`,
    'if [[ $state == word ]]; then',
    '  local -a choices=(',
    ...choices.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`),
    '  )',
    "  _describe 'command' choices",
    '  return',
    'fi',
    'case $line[1] in',
  ]
  return lines.map((line) => indent + line).join('\n')
}

function groupCase(group: string, commands: readonly CommandOutline[]): string {
  const own = commands.filter(({ words }) => words[0] === group && words.length === 2)
  const choices = own.map(({ words, summary }) => ({ name: words[1] ?? '', summary }))
  return `    ${group})
${described('      ', choices, '--help[explain the commands]')}
${own.map((command) => commandCase('        ', command)).join('\n')}
      esac
      ;;`
}

function commandCase(indent: string, { words, options, arguments: places, repeats }: CommandOutline): string {
  const specs = [
    ...options.flatMap(optionSpecs),
    ...places.map((place, at) =>
      repeats && at === places.length - 1 ? argumentSpec('*', place) : argumentSpec(String(at + 1), place),
    ),
  ]
  const lines = [
    `${words.at(-1)})`,
    '  _arguments \\',
    ...specs.map((spec, at) => `    ${spec}${at === specs.length - 1 ? '' : ' \\'}`),
    '  ;;',
  ]
  return lines.map((line) => indent + line).join('\n')
}

function optionSpecs({ flags, description, value, valueOptional }: OptionOutline): string[] {
  const said = `[${description.replaceAll(/[\\[\]]/g, String.raw`\$&`)}]`
  return flags.map((flag) => {
    if (value === undefined) return quote(`${flag}${said}`)
    const form = valueOptional ? flag : flag.startsWith('--') ? `${flag}=` : `${flag}+`
    return quote(`*${form}${said}:${valueOptional ? ':' : ''}value:${actionOf(value)}`)
  })
}

/** A program and its arguments are completed as if they stood alone. */
function argumentSpec(place: string, candidates: Candidates): string {
  if (candidates === 'programs') return quote('*::program:_normal')
  return quote(`${place}:argument:${actionOf(candidates)}`)
}

function actionOf(candidates: Candidates): string {
  switch (candidates) {
    case 'anything':
      return ' '
    case 'files':
      return '_files'
    case 'directories':
      return '_files -/'
    case 'programs':
      return '_command_names'
    case 'services':
    case 'namespaces':
    case 'ids':
      return `_rollcall_${candidates}`
    default:
      return `(${candidates.join(' ')})`
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
