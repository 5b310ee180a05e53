/** `rollcall bridge eureka URL`: Eureka and this registry see each other's instances. */
import { addBridgeOptions, readUrls, runBridgeCommand } from '../../bridge/command.js'
import { createEurekaSide } from '../../bridge/eureka.js'
import { examples, type CommandModule } from '../../command.js'

export const eureka: CommandModule = {
  define(command) {
    addBridgeOptions(command)
      .description(
        'Mirror instances between Eureka and this registry, both ways, until it is interrupted; then what it mirrored is deregistered in both. What is registered in both is mirrored in neither. A registry that is away or suddenly lists nothing removes nothing. Where the bridge is killed, leases end what it mirrored.',
      )
      .addHelpText(
        'after',
        examples(
          'rollcall bridge eureka http://10.0.0.1:8761/eureka,http://10.0.0.2:8761/eureka',
          'rollcall bridge eureka http://10.0.0.1:8761/eureka --service orders,payments --only in',
        ),
      )
  },

  run(shell, command) {
    const urls = readUrls(command.args[0], 'http://127.0.0.1:8761/eureka')
    return runBridgeCommand(shell, command, 'eureka', urls, (deps, timeoutMs) =>
      createEurekaSide(deps, { urls, timeoutMs }),
    )
  },
}
