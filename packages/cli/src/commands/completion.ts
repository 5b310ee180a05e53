import { Argument } from 'commander'
import { examples, type CommandModule } from '../command.js'
import { bashScript } from '../completion/bash.js'
import { fishScript } from '../completion/fish.js'
import { outlineOf, type Outline } from '../completion/outline.js'
import { zshScript } from '../completion/zsh.js'
import { EXIT } from '../exit-codes.js'

const SCRIPTS: Readonly<Record<string, (outline: Outline) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
}

/** `rollcall completion SHELL`: a script that teaches a shell commands, options, and what the registry has. */
export const completion: CommandModule = {
  define(command) {
    command
      .description(
        'Print a script that completes commands, options and their values, and the names and ids that a registry answers within half a second.',
      )
      .addArgument(new Argument('<shell>', 'the shell that is to read it').choices(Object.keys(SCRIPTS)))
      .addHelpText(
        'after',
        examples(
          'echo \'eval "$(rollcall completion bash)"\' >> ~/.bashrc',
          'echo \'eval "$(rollcall completion zsh)"\' >> ~/.zshrc    # after compinit',
          'rollcall completion fish > ~/.config/fish/completions/rollcall.fish',
        ),
      )
  },

  async run(shell, command, wholeProgram) {
    const script = SCRIPTS[command.args[0] ?? '']
    if (script !== undefined) shell.out.write(script(outlineOf(await wholeProgram())))
    return EXIT.ok
  },
}
