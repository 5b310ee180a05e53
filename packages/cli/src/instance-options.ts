/** Options of `register` and `run` that describe an instance. */
import { defined } from '@rollcall/wire'
import type { Command } from 'commander'
import { readHost, readPair, readPort, readWeight } from './arguments.js'

/** What `register` and `run` say about an instance. */
export interface InstanceOptions {
  readonly service: string
  readonly port: number
  readonly host?: string
  readonly id?: string
  readonly protocol?: string
  readonly weight?: number
  readonly zone?: string
  readonly metadata?: Readonly<Record<string, string>>
}

/** Declares the options of an instance. */
export function addInstanceOptions(command: Command): Command {
  return command
    .requiredOption('--service <name>', 'name of the service')
    .requiredOption('--port <port>', 'port it listens on', readPort)
    .option(
      '--host <host>',
      'address others reach it at (default: this machine, as the registry sees it)',
      readHost,
    )
    .option('--id <id>', 'id of the instance (default HOST:PORT)')
    .option('--protocol <name>', 'what it speaks, such as http or grpc')
    .option('--weight <number>', 'share of the calls (default 100)', readWeight)
    .option('--zone <name>', 'zone it runs in')
    .option('--metadata <key=value>', 'more about it; may be repeated', readPair)
}

/** The given options, nothing else. */
export function readInstanceOptions(command: Command): InstanceOptions {
  const { service, port, host, id, protocol, weight, zone, metadata } = command.opts<InstanceOptions>()
  return defined({ service, port, host, id, protocol, weight, zone, metadata })
}
