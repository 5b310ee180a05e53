/** `rollcall events`: what happened, by whom and why. */
import { isRegistryError, EVENT_KINDS, type EventKind, type EventsResponse } from '@rollcall/wire'
import type { CallRequest } from '@rollcall/wire/http-client'
import { InvalidArgumentError } from 'commander'
import { sleep } from '../clock.js'
import { examples, type CommandModule } from '../command.js'
import { logLine } from '../event-lines.js'
import { EXIT, exitCodeOf } from '../exit-codes.js'
import { createApiClient, type ClusterApi } from '../api-client.js'
import { createOutput, type Output } from '../output.js'
import { addRegistryOptions, readRegistryOptions } from '../registry-options.js'
import type { Shell } from '../shell.js'

interface Options {
  readonly service?: string
  readonly id?: string
  readonly kind?: string
  readonly limit?: number
  readonly follow?: boolean
}

type Query = CallRequest<'listEvents'>

/** `--follow` polls by event number rather than streams: it goes on through a restart, and at another node of the list. */
const POLL_MS = 300

export const events: CommandModule = {
  define(command) {
    addRegistryOptions(command)
      .description('Print what happened last, by whom and why; with --follow also what happens from now on.')
      .option('--service <name>', 'only this service')
      .option('--id <id>', 'only this instance')
      .option('--kind <kind,...>', `only these kinds: ${EVENT_KINDS.join(', ')}`)
      .option('--limit <number>', 'most events at the beginning (default 20, at most 1000)', readLimit)
      .option('--follow', 'go on until interrupted')
      .addHelpText(
        'after',
        examples('rollcall events --service orders', "rollcall events --follow --json | jq -r '.kind'"),
      )
  },

  async run(shell, command) {
    const { json, namespace, group, ...options } = readRegistryOptions(command, shell.env)
    const { service, id, kind, limit = 20, follow } = command.opts<Options>()
    const api = createApiClient(shell, options)
    const output = createOutput(shell)
    // The node judges the words, and says which there are.
    const kinds = kind?.split(',') as EventKind[] | undefined
    const query: Query = { namespace, group, service, id, kind: kinds }
    const page = await api.call('listEvents', { ...query, limit })
    print(output, json, page)
    if (follow === true) await followLog(shell, api, output, json, query, page)
    return EXIT.ok
  },
}

function readLimit(text: string): number {
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN
  if (!(limit >= 1 && limit <= 1_000)) throw new InvalidArgumentError('Write a number from 1 to 1000.')
  return limit
}

async function followLog(
  shell: Shell,
  api: ClusterApi,
  output: Output,
  json: boolean,
  query: Query,
  first: EventsResponse,
): Promise<void> {
  const ended = new AbortController()
  const forget = shell.onSignal(['SIGINT', 'SIGTERM'], () => ended.abort())
  let { node, next } = first
  let away = false
  try {
    while (!ended.signal.aborted) {
      await sleep(shell.clock, POLL_MS, ended.signal)
      if (ended.signal.aborted) return
      const page = await readOn(api, query, next)
      if (page === undefined) {
        if (!away) output.note('No registry answers; trying on.')
        away = true
        continue
      }
      away = false
      if (page.node !== node) {
        output.note(`Node ${page.node} answers now: its own log follows.`)
        ;({ node } = page)
        next = 0
        continue
      }
      if (page.lost !== undefined) output.note(`${page.lost} events were forgotten before they were read.`)
      print(output, json, page)
      ;({ next } = page)
    }
  } finally {
    forget()
  }
}

/** The next events, or undefined where no registry answers at the moment. */
async function readOn(api: ClusterApi, query: Query, after: number): Promise<EventsResponse | undefined> {
  try {
    return await api.call('listEvents', { ...query, after, limit: 1_000 })
  } catch (error) {
    if (isRegistryError(error) && exitCodeOf(error) === EXIT.unreachable) return undefined
    throw error
  }
}

function print(output: Output, json: boolean, { events: list }: EventsResponse): void {
  for (const event of list) {
    if (json) output.json(event)
    else output.line(logLine(event, output.paint))
  }
}
