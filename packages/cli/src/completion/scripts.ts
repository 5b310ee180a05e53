/** The scripts of `rollcall completion`: each hands the words before the cursor to `rollcall __complete` and offers its answer. */

/** Bash, from 3.2 on (which macOS has). It breaks words at colons and equals signs and replaces what follows the last of them. */
const BASH = String.raw`# Completion of rollcall in bash, written by "rollcall completion bash".
_rollcall() {
  local line=${'$'}{COMP_LINE:0:COMP_POINT} words current kept word
  COMPREPLY=()
  IFS=$' \t\n' read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current=${'$'}{words[${'$'}{#words[@]} - 1]}
  kept=${'$'}{current%"${'$'}{current##*["$COMP_WORDBREAKS"]}"}
  while IFS=$'\t' read -r word _; do
    case $word in
      @directories) _rollcall_own filenames -d ;;
      @files) _rollcall_own filenames -f ;;
      @programs) _rollcall_own default -c ;;
      *) COMPREPLY+=("${'$'}{word#"$kept"}") ;;
    esac
  done < <(rollcall __complete "${'$'}{words[@]:1}" 2>/dev/null)
}

_rollcall_own() {
  compopt -o "$1" 2>/dev/null
  while IFS= read -r word; do
    COMPREPLY+=("$word")
  done < <(compgen "$2" -- "${'$'}{current##*["$COMP_WORDBREAKS"]}" | sort -u)
}
complete -F _rollcall rollcall
`

/** Zsh, which shows what each word means. Works sourced and found in $fpath. */
const ZSH = String.raw`#compdef rollcall
# Completion of rollcall in zsh, written by "rollcall completion zsh".
_rollcall() {
  local line
  local -a offered
  for line in "${'$'}{(@f)$(rollcall __complete "${'$'}{(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      @directories) compset -P '--*='; _files -/ ;;
      @files) compset -P '--*='; _files ;;
      @programs) _command_names -e ;;
      *$'\t'*) offered+=("${'$'}{${'$'}{line%%$'\t'*}//:/\\:}:${'$'}{line#*$'\t'}") ;;
      ?*) offered+=("${'$'}{line//:/\\:}") ;;
    esac
  done
  (( $#offered )) && _describe 'rollcall' offered
}

if [[ $funcstack[1] == _rollcall ]]; then
  _rollcall
else
  compdef _rollcall rollcall
fi
`

/** Fish, which shows what each word means. */
const FISH = String.raw`# Completion of rollcall in fish, written by "rollcall completion fish".
function __rollcall_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in (rollcall __complete $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case @directories
                __fish_complete_directories "$current"
            case @files
                __fish_complete_path "$current"
            case @programs
                __fish_complete_command
            case '*'
                echo $line
        end
    end
end
complete -c rollcall -f -a '(__rollcall_complete)'
`

/** The script of each shell by its name. */
export const COMPLETION_SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH }
