/** `rollcall events`: what happened, by whom and why. */
import {
  defined,
  isRegistryError,
  EVENT_KINDS,
  type EventKind,
  type EventsResponse,
  type Moment,
} from '@rollcall/wire'
import type { CallRequest } from '@rollcall/wire/http-client'
import { InvalidArgumentError, Option } from 'commander'
import { readMoment } from '../arguments.js'
import { sleep } from '../clock.js'
import { offering } from '../completion/offers.js'
import { examples, type CommandModule } from '../command.js'
import { logLine } from '../event-lines.js'
import { EXIT, exitCodeOf, UsageError } from '../exit-codes.js'
import { createApiClient, type ClusterApi } from '../api-client.js'
import { createOutput, type Output } from '../output.js'
import { addRegistryOptions, readRegistryOptions } from '../registry-options.js'
import type { Shell } from '../shell.js'

interface Options {
  readonly service?: string
  readonly id?: string
  readonly kind?: string
  readonly since?: Moment
  readonly until?: Moment
  readonly limit?: number
  readonly follow?: boolean
  readonly allNodes?: boolean
}

type Query = CallRequest<'listEvents'>

/** `--follow` polls by event number rather than streams: it goes on through a restart, and at another node of the list. */
const POLL_MS = 300

/** Events that are shown where nothing is said of it, and at most. */
const LIMIT = 20
const LIMIT_MAX = 1_000

export const events: CommandModule = {
  define(command) {
    addRegistryOptions(command)
      .description('Print what happened last, by whom and why; with --follow also what happens from now on.')
      .option('--service <name>', 'only this service')
      .option('--id <id>', 'only this instance')
      .addOption(
        offering(new Option('--kind <kind,...>', `only these kinds: ${EVENT_KINDS.join(', ')}`), EVENT_KINDS),
      )
      .option(
        '--since <when>',
        'only what happened since: so long ago, such as 10m or 2h, or a date such as 2026-01-31T12:00:00Z',
        readMoment,
      )
      .option('--until <when>', 'only what happened until then; not with --follow', readMoment)
      .option(
        '--limit <number>',
        'most events at the beginning (default 20, or with --since 1000, which is the most)',
        readLimit,
      )
      .option('--follow', 'go on until interrupted')
      .option(
        '--all-nodes',
        'what all nodes of the cluster noted, in order of their clocks; needs --service, not with --follow',
      )
      .addHelpText(
        'after',
        examples(
          'rollcall events --service orders',
          'rollcall events --since 2h --until 1h',
          "rollcall events --follow --json | jq -r '.kind'",
        ),
      )
  },

  async run(shell, command) {
    const { json, namespace, group, ...options } = readRegistryOptions(command, shell.env)
    const { service, id, kind, since, until, follow, allNodes, ...given } = command.opts<Options>()
    const { limit = since === undefined ? LIMIT : LIMIT_MAX } = given
    if (follow === true && until !== undefined) throw new UsageError('--until ends before --follow begins')
    if (allNodes === true && follow === true) throw new UsageError('--follow is about one node')
    if (allNodes === true && service === undefined) throw new UsageError('--all-nodes needs --service')
    const api = createApiClient(shell, options)
    const output = createOutput(shell)
    const nodes = allNodes === true ? ({ nodes: 'all' } as const) : {}
    // The node judges the words, and says which there are.
    const kinds = kind?.split(',') as EventKind[] | undefined
    const query: Query = { namespace, group, service, id, kind: kinds }
    const page = await api.call('listEvents', { ...query, ...nodes, ...defined({ since, until }), limit })
    if (given.limit === undefined && page.events.length === LIMIT_MAX)
      output.note(`These are the last ${LIMIT_MAX}: see what was before with --until.`)
    if (page.unanswered !== undefined) output.note(`No answer from ${page.unanswered.join(', ')}.`)
    print(output, json, page)
    if (follow === true) await followLog(shell, api, output, json, query, page)
    return EXIT.ok
  },
}

function readLimit(text: string): number {
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN
  if (!(limit >= 1 && limit <= LIMIT_MAX))
    throw new InvalidArgumentError(`Write a number from 1 to ${LIMIT_MAX}.`)
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
