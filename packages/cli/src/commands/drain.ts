/** `rollcall drain SERVICE ID`: no new calls, and with `--wait` until every subscriber has acknowledged that. */
import {
  defined,
  OPERATOR_LIMITS,
  RegistryError,
  type ExplainedOverride,
  type Explanation,
  type OverrideRequest,
  type Overridden,
  type SubscribersResponse,
} from '@rollcall/wire'
import { readDuration, readSpan } from '../arguments.js'
import { sleep } from '../clock.js'
import { examples, type CommandModule } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { createApiClient, type ClusterApi } from '../api-client.js'
import { createOutput, type Output } from '../output.js'
import { explained, instanceOf, nameOf, onlyResult, overrideText, standingOf } from '../override.js'
import { addRegistryOptions, readRegistryOptions } from '../registry-options.js'
import type { Shell } from '../shell.js'
import { addSignatureOptions, readSignature } from '../signature-options.js'

type Drained = Omit<Overridden, 'durability'> & { readonly unchanged?: true }

interface Options {
  readonly wait?: boolean
  readonly within?: number
  readonly for?: number
}

const WITHIN_MS = 30_000
const POLL_MS = 100

export const drain: CommandModule = {
  define(command) {
    addSignatureOptions(addRegistryOptions(command))
      .description(
        'Take an instance out of rotation: it stays listed as draining and gets no new calls, also when it registers anew. `rollcall enable` takes that back.',
      )
      .argument('<service>', 'name of the service')
      .argument('<id>', 'id of the instance, as `rollcall instances` shows it')
      .option('--wait', 'until every subscriber has acknowledged it: then it is safe to stop')
      .option('--within <time>', 'give up waiting after this long (default 30s)', readDuration)
      .option('--for <time>', 'take it back by itself after this long, such as 10m or 2h', readSpan)
      .addHelpText(
        'after',
        examples(
          'rollcall drain orders 10.0.0.5:3000 --wait && ssh 10.0.0.5 systemctl restart orders',
          "rollcall drain orders 10.0.0.5:3000 --for 2h --why 'disk replacement'",
        ),
      )
  },

  async run(shell, command) {
    const options = readRegistryOptions(command, shell.env)
    const { wait, within = WITHIN_MS, for: durationMs } = command.opts<Options>()
    const [service = '', id = ''] = command.args
    const api = createApiClient(shell, options)
    const output = createOutput(shell)
    const instance = instanceOf(service, id, options)
    const { by, why } = readSignature(command, shell)
    // Where everything is said anew, what stood before does not matter.
    const all = durationMs !== undefined && why !== undefined
    const before = all ? undefined : await explained(api, instance)
    const began = shell.clock.now()
    const stands = before?.override?.drain === true
    const same = stands && durationMs === undefined && why === undefined
    const result = same
      ? unchanged(before)
      : onlyResult(
          await api.call('putOverrides', {
            body: {
              instances: [instance],
              drain: true,
              ...kept(before),
              ...defined({ by, why, durationMs }),
            },
          }),
        )
    if (!options.json) tell(output, result, before?.override)
    const audience =
      wait === true ? await settle(shell, api, output, result, began, within, options.json) : {}
    if (options.json) output.json({ ...result, ...audience })
    return EXIT.ok
  },
}

/** The drain that stands, as it is: nothing was written. */
function unchanged(before: Explanation): Drained {
  const { namespace, service, group, id, incarnation, state } = before
  return { ok: true, namespace, service, group, id, incarnation, ...defined({ state }), unchanged: true }
}

/** What consumers see now, and what became of an override that stood before. */
function tell(output: Output, result: Drained, before: ExplainedOverride | undefined): void {
  output.line(`${nameOf(result)} ${standingOf(result)}`)
  if (before === undefined) return
  const { disable, weight } = before
  if (before.drain === true)
    output.note(`It was drained before: ${overrideText(before)}. What this command does not name stays.`)
  else if (disable !== undefined || weight !== undefined)
    output.note(`This replaces an override: ${overrideText(before)}.`)
}

/** Of an earlier drain, what stays where nothing else is said: how long, why, and what else it wants. */
function kept(before: Explanation | undefined): Partial<OverrideRequest> {
  if (before?.override?.drain !== true) return {}
  const { disable, weight, why, remainingMs } = before.override
  return defined({
    disable,
    // One of an earlier incarnation means nothing any more.
    weight: before.listed && weight?.incarnation === before.incarnation ? weight.value : undefined,
    why,
    durationMs: remainingMs === undefined ? undefined : Math.max(remainingMs, OPERATOR_LIMITS.durationMsMin),
  })
}

/** Asks until every subscriber has acknowledged what had been published at the first question. */
async function settle(
  shell: Shell,
  api: ClusterApi,
  output: Output,
  { namespace, service, group }: Drained,
  began: number,
  withinMs: number,
  json: boolean,
): Promise<SubscribersResponse> {
  const { clock } = shell
  let told = ''
  for (let seq: number | undefined; ;) {
    const answer = await api.call('listSubscribers', {
      service,
      namespace,
      group,
      ageMs: Math.floor(clock.now() - began),
      seq,
    })
    if (answer.settled) {
      const time = `${((clock.now() - began) / 1_000).toFixed(1)} s`
      if (!json) output.line(`all ${answer.subscribers} subscribers have heard after ${time}: safe to stop`)
      return answer
    }
    const lagging = laggingOf(answer)
    if (clock.now() - began >= withinMs) {
      throw new RegistryError(
        'timeout',
        `not every subscriber has heard within ${withinMs / 1_000} s: ${lagging}`,
      )
    }
    if (!json && lagging !== told) output.note(`Waiting for ${lagging}.`)
    told = lagging
    seq = answer.seq
    await sleep(clock, POLL_MS)
  }
}

function laggingOf({ subscribers, acknowledged, pollersMs, unanswered }: SubscribersResponse): string {
  const waiting = subscribers - acknowledged
  const parts = [
    ...(waiting === 0 ? [] : [`${waiting} of ${subscribers} subscribers`]),
    ...(pollersMs === 0 ? [] : ['clients that poll']),
    ...(unanswered === undefined ? [] : [`an answer of ${unanswered.join(', ')}`]),
  ]
  // Nothing is left but another node that has not heard of the change itself.
  return parts.length === 0 ? 'the other nodes' : parts.join(' and ')
}
