import type { Candidates, CommandOutline, OptionOutline, Outline } from './outline.js'

/** The script for fish: a line for each word that may stand somewhere, with the condition under which it may. */
export function fishScript({ commands, groups }: Outline): string {
  const top = [
    ...groups.map(({ name, summary }) => ({ name, summary })),
    ...commands
      .filter(({ words }) => words.length === 1)
      .map(({ words, summary }) => ({ name: words[0] ?? '', summary })),
  ]
  const words = top.map(({ name, summary }) => line('', `-a ${name}`, summary))
  const inner = commands.filter((command) => command.words.length === 2)
  const innerWords = inner.map(({ words: [group = '', name = ''], summary }) =>
    line(group, `-a ${name}`, summary),
  )
  return `# Completion of rollcall in fish, written by \`rollcall completion fish\`.

# The words of the line before the cursor, without options and their values, as one text.
function __rollcall_words
    set -l words
    set -l skip 0
    for token in (commandline -opc)[2..-1]
        if test $skip -eq 1
            set skip 0
        else if contains -- $token ${valued(commands).join(' ')}
            set skip 1
        else if not string match -q -- '-*' $token
            set -a words $token
        end
    end
    string join ' ' -- $words
end

# Whether the words are exactly these, or with a number, whether that many more follow them.
function __rollcall_at
    set -l words (__rollcall_words)
    if test (count $argv) -eq 1
        test "$words" = "$argv[1]"
    else
        string match -qr -- "^$argv[1]( [^ ]+){$argv[2]}\\$" "$words"
    end
end

# Whether the words begin with these.
function __rollcall_in
    string match -qr -- "^$argv[1]( |\\$)" (__rollcall_words)
end

# One column of what the registry has. One that does not answer at once completes nothing.
function __rollcall_ask
    set -l scope
    set -l before ''
    for token in (commandline -opc)
        contains -- $before --registry --namespace; and set -a scope $before $token
        set before $token
    end
    test $argv[1] = 1; or contains -- --namespace $scope; or set -a scope --namespace default
    rollcall $argv[2..-1] $scope --timeout 500ms 2>/dev/null |
        awk -v column=$argv[1] 'NR > 1 && $column ~ /^[][A-Za-z0-9._:-]+$/ { print $column }' | sort -u
end

function __rollcall_ids
    __rollcall_ask 2 instances (string split ' ' -- (__rollcall_words))[2]
end

complete -c rollcall -f
complete -c rollcall -n '__rollcall_at ""' -l help -s h -d 'explain the program'
complete -c rollcall -n '__rollcall_at ""' -l version -d 'print the version'
${[...words, ...innerWords, ...commands.flatMap(commandLines)].join('\n')}
`
}

function line(at: string, what: string, description: string): string {
  return `complete -c rollcall -n '__rollcall_at "${at}"' ${what} -d ${quote(description)}`
}

function commandLines({ words, options, arguments: places, repeats }: CommandOutline): string[] {
  const name = words.join(' ')
  const last = places.length - 1
  return [
    ...options.map((option) => `complete -c rollcall -n '__rollcall_in "${name}"' ${optionOf(option)}`),
    ...places.flatMap((place, at) => {
      const count = repeats && at === last ? `${at},` : String(at)
      const what = valuesOf(place)
      return what === '' ? [] : [`complete -c rollcall -n '__rollcall_at "${name}" ${count}' ${what}`]
    }),
  ]
}

function optionOf({ flags, description, value, valueOptional }: OptionOutline): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
  const argument = value === undefined ? '' : valueOptional ? valuesOf(value) : `-x ${valuesOf(value)}`.trim()
  return [...names, argument, `-d ${quote(description)}`].filter((part) => part !== '').join(' ')
}

function valuesOf(candidates: Candidates): string {
  switch (candidates) {
    case 'anything':
      return ''
    case 'files':
      return `-a '(__fish_complete_path)'`
    case 'directories':
      return `-a '(__fish_complete_directories)'`
    case 'programs':
      return `-a '(__fish_complete_command; __fish_complete_path)'`
    case 'services':
      return `-a '(__rollcall_ask 2 services)'`
    case 'namespaces':
      return `-a '(__rollcall_ask 1 services)'`
    case 'ids':
      return `-a '(__rollcall_ids)'`
    default:
      return `-a '${candidates.join(' ')}'`
  }
}

/** Options after which a word is a value. */
function valued(commands: readonly CommandOutline[]): string[] {
  const flags = commands.flatMap(({ options }) =>
    options
      .filter(({ value, valueOptional }) => value !== undefined && !valueOptional)
      .flatMap((option) => option.flags),
  )
  return [...new Set(flags)]
}

function quote(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`
}
