/** `rollcall bridge consul URL`: Consul and this registry see each other's instances. */
import { addBridgeOptions, readUrls, runBridgeCommand } from '../../bridge/command.js'
import { createConsulSide } from '../../bridge/consul.js'
import { examples, type CommandModule } from '../../command.js'

export const consul: CommandModule = {
  define(command) {
    addBridgeOptions(command)
      .description(
        "Mirror instances between Consul and this registry, both ways, until it is interrupted; then what it mirrored is deregistered in both. What is registered in both is mirrored in neither. A registry that is away or suddenly lists nothing removes nothing. Where the bridge is killed, leases end what it mirrored. CONSUL_HTTP_TOKEN is sent where it is set. Not tried against HashiCorp's server yet.",
      )
      .addHelpText(
        'after',
        examples(
          'rollcall bridge consul http://127.0.0.1:8500',
          'rollcall bridge consul http://127.0.0.1:8500 --service orders --only out',
        ),
      )
  },

  run(shell, command) {
    const urls = readUrls(command.args[0], 'http://127.0.0.1:8500')
    const token = shell.env['CONSUL_HTTP_TOKEN']
    return runBridgeCommand(shell, command, 'consul', urls, (deps, timeoutMs) =>
      createConsulSide(deps, { urls, timeoutMs, token: token === '' ? undefined : token }),
    )
  },
}
