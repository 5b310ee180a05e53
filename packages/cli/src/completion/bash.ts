import type { Candidates, CommandOutline, OptionOutline, Outline } from './outline.js'

/**
 * The script for bash, from 3.2 on (which macOS has). One table says what each command takes; the function below reads
 * the line word by word against it. Ids hold colons, at which bash would break words, so the line is split here.
 */
export function bashScript(outline: Outline): string {
  return `# Completion of rollcall in bash, written by \`rollcall completion bash\`.

# What a command takes: its options, the values of those that have one, its arguments, and what they go on with.
_rollcall_takes() {
  options='' values=' ' arguments='' rest='-'
  case $1 in
${tableOf(outline).join('\n')}
  esac
}

${CANDIDATES}
${readLine(outline.groups.map(({ name }) => name).join('|'))}
complete -F _rollcall rollcall
`
}

/** What may stand at a place of a kind, into COMPREPLY. */
const CANDIDATES = `# One column of what the registry has. One that does not answer at once completes nothing.
_rollcall_ask() {
  local column=$1
  shift
  rollcall "$@" --timeout 500ms 2>/dev/null |
    awk -v column="$column" 'NR > 1 && $column ~ /^[][A-Za-z0-9._:-]+$/ { print $column }' | sort -u
}

_rollcall_words() {
  local word
  while IFS= read -r word; do
    [[ $word == "$current"* ]] && COMPREPLY+=("$word")
  done
}

_rollcall_candidates() {
  case $1 in
    @services) _rollcall_words < <(_rollcall_ask 2 services --namespace "$namespace" "\${registry[@]}") ;;
    @namespaces) _rollcall_words < <(_rollcall_ask 1 services "\${registry[@]}") ;;
    @ids) _rollcall_words < <(_rollcall_ask 2 instances "$service" --namespace "$namespace" "\${registry[@]}") ;;
    @directories) _rollcall_files -d ;;
    @files) _rollcall_files -f ;;
    @programs) _rollcall_words < <(compgen -c -- "$current" | sort -u) ;;
    -) ;;
    *) _rollcall_words < <(tr '|' '\\n' <<<"$1") ;;
  esac
}

_rollcall_files() {
  compopt -o filenames 2>/dev/null
  _rollcall_words < <(compgen "$1" -- "$current")
}
`

/** Reads the line up to the cursor and asks for what may stand there. */
function readLine(groups: string): string {
  return `_rollcall() {
  local line=\${COMP_LINE:0:COMP_POINT} word words current='' before='' command='' service='' namespace='default'
  local options values arguments rest kind count=0 registry=() places=()
  COMPREPLY=()
  IFS=$' \\t\\n' read -ra words <<<"$line"
  if [[ $line != *[[:space:]] ]]; then
    current=\${words[\${#words[@]} - 1]}
    unset "words[\${#words[@]} - 1]"
  fi
  _rollcall_takes ''
  for word in "\${words[@]:1}"; do
    case $before in
      --registry) registry=(--registry "$word") ;;
      --namespace) namespace=$word ;;
    esac
    if [[ -n $before && ! ($word == -* && $values == *" $before=?"*) ]]; then
      before=''
    elif [[ $word == -- ]]; then
      options='' values=' '
    elif [[ $word == -* ]]; then
      before=''
      [[ $values == *" $word="* ]] && before=$word
    elif [[ $command =~ ^(${groups})?$ ]]; then
      command=\${command:+$command }$word
      _rollcall_takes "$command"
    else
      [[ $count -eq 0 ]] && service=$word
      count=$((count + 1))
    fi
  done
  if [[ -z $before && $current == --*=* ]]; then
    before=\${current%%=*} current=\${current#*=}
  fi
  if [[ $values == *" $before="* && ! ($current == -* && $values == *" $before=?"*) ]]; then
    kind=\${values#*" $before="} kind=\${kind%% *} kind=\${kind#\\?}
  elif [[ $current == -* ]]; then
    kind=\${options// /|}
  else
    IFS=' ' read -ra places <<<"$arguments"
    kind=\${places[$count]:-$rest}
  fi
  _rollcall_candidates "$kind"
  # Of an id, bash replaces only what follows the last colon.
  if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
    for count in "\${!COMPREPLY[@]}"; do
      COMPREPLY[$count]=\${COMPREPLY[$count]#"\${current%"\${current##*:}"}"}
    done
  fi
}
`
}

function tableOf({ commands, groups }: Outline): string[] {
  const first = [...new Set(commands.map(({ words }) => words[0] ?? ''))]
  const after = (group: string): string[] =>
    commands.flatMap(({ words }) => (words[0] === group && words[1] !== undefined ? [words[1]] : []))
  return [
    `    '') options='--help --version' arguments='${kindOf(first)}' ;;`,
    ...groups.map(({ name }) => `    '${name}') options='--help' arguments='${kindOf(after(name))}' ;;`),
    ...commands.map(commandCase),
  ]
}

function commandCase({ words, options, arguments: places, repeats }: CommandOutline): string {
  const kinds = places.map(kindOf)
  const parts = [
    `options='${options.map(({ flags }) => flags.at(-1)).join(' ')}'`,
    `values=' ${options
      .flatMap(valueOf)
      .map((pair) => `${pair} `)
      .join('')}'`,
    `arguments='${kinds.join(' ')}'`,
    ...(repeats ? [`rest='${places.at(-1) === 'programs' ? '@files' : kinds.at(-1)}'`] : []),
  ]
  return `    '${words.join(' ')}')\n${parts.map((part) => `      ${part}\n`).join('')}      ;;`
}

function valueOf({ flags, value, valueOptional }: OptionOutline): string[] {
  if (value === undefined) return []
  return flags.map((flag) => `${flag}=${valueOptional ? '?' : ''}${kindOf(value)}`)
}

/** Words are joined by bars; of the rest, only what is known has a name. */
function kindOf(candidates: Candidates): string {
  if (candidates === 'anything') return '-'
  return typeof candidates === 'string' ? `@${candidates}` : candidates.join('|')
}
