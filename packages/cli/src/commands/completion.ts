/** `rollcall completion SHELL`: a script by which a shell completes commands, options, and what the registry has. */
import { Argument } from 'commander'
import { examples, type CommandModule } from '../command.js'
import { COMPLETION_SCRIPTS } from '../completion/scripts.js'
import { EXIT } from '../exit-codes.js'

export const completion: CommandModule = {
  define(command) {
    command
      .description(
        'Print a script that completes commands, options and their values, and the names and ids that a registry answers within half a second.',
      )
      .addArgument(
        new Argument('<shell>', 'the shell that is to read it').choices(Object.keys(COMPLETION_SCRIPTS)),
      )
      .addHelpText(
        'after',
        examples(
          'echo \'eval "$(rollcall completion bash)"\' >> ~/.bashrc',
          'echo \'eval "$(rollcall completion zsh)"\' >> ~/.zshrc    # after compinit',
          'rollcall completion fish > ~/.config/fish/completions/rollcall.fish',
        ),
      )
  },

  run(shell, command) {
    shell.out.write(COMPLETION_SCRIPTS[command.args[0] ?? ''] ?? '')
    return Promise.resolve(EXIT.ok)
  },
}
