/** What operators do and ask, over HTTP. */
import type { OperatorWrite, OverrideResult } from '@rollcall/core'
import { DEFAULTS, type Durability, type InstanceRef } from '@rollcall/wire'
import { readClearing, readFreeze, readOverride, readRestore, type Batch } from '@rollcall/wire/schemas'
import { statusOf } from '../../http/errors.js'
import type { Exchange } from '../../http/exchange.js'
import { checkName, commonFailure, mergeResults, toRef } from '../mapping.js'
import { instanceKeyOf, viewNameOf } from '../queries.js'
import { readBody, type HandlerDeps, type Handlers } from './deps.js'
import { unknownInstance, unknownService } from './lookups.js'
import { requireLoaded } from './operations.js'

/** Handlers of the operators' routes. */
export function createOperators(
  deps: HandlerDeps,
): Handlers<
  | 'putOverrides'
  | 'clearOverrides'
  | 'listOverrides'
  | 'freeze'
  | 'unfreeze'
  | 'listFreezes'
  | 'restore'
  | 'listSubscribers'
  | 'explain'
> {
  const { registry, options } = deps
  const { operators } = registry
  const { batchItemsMax } = options.limits
  return {
    putOverrides(exchange, parameters) {
      const write = writeOf(parameters.durability)
      readBody(exchange, parameters, async (body) => {
        const { batch, frame } = readOverride(body, batchItemsMax)
        const refs = refsOf(batch)
        const results = await operators.override({ refs, ...frame }, originOf(exchange), write)
        answerBatch(exchange, batch, results)
      })
    },

    clearOverrides(exchange, parameters) {
      const write = writeOf(parameters.durability)
      readBody(exchange, parameters, async (body) => {
        const { batch, frame } = readClearing(body, batchItemsMax)
        const refs = refsOf(batch)
        const results = await operators.clearOverrides({ refs, ...frame }, originOf(exchange), write)
        answerBatch(exchange, batch, results)
      })
    },

    freeze(exchange, parameters) {
      readBody(exchange, parameters, async (body) => {
        const { value, warnings } = readFreeze(body)
        const durability = await operators.freeze(
          value.namespace ?? DEFAULTS.namespace,
          value,
          originOf(exchange),
        )
        exchange.json(200, { durability, ...(warnings === undefined ? {} : { warnings }) })
      })
    },

    unfreeze(exchange, parameters) {
      readBody(exchange, parameters, async (body) => {
        const { value } = readFreeze(body)
        const namespace = value.namespace ?? DEFAULTS.namespace
        exchange.json(200, { removed: await operators.unfreeze(namespace, value, originOf(exchange)) })
      })
    },

    listFreezes(exchange) {
      requireLoaded(registry)
      exchange.json(200, { freezes: operators.freezes() })
    },

    restore(exchange, parameters) {
      const write = writeOf(parameters.durability)
      readBody(exchange, parameters, async (body) => {
        const { value, warnings } = readRestore(body)
        const namespace = checkName(value.namespace ?? DEFAULTS.namespace, 'namespace')
        checkName(value.service, 'service')
        const answer = await operators.restore({ ...value, namespace }, originOf(exchange), write)
        exchange.json(200, { ...answer, ...(warnings === undefined ? {} : { warnings }) })
      })
    },

    listSubscribers(exchange, parameters) {
      requireLoaded(registry)
      const name = viewNameOf(parameters)
      const answer = operators.audience(name, parameters)
      if (answer === undefined) throw unknownService(name)
      exchange.json(200, answer)
    },

    explain(exchange, parameters) {
      requireLoaded(registry)
      const key = instanceKeyOf(parameters)
      const explanation = operators.explain(key)
      if (explanation === undefined) throw unknownInstance(registry, key)
      exchange.json(200, explanation)
    },

    listOverrides(exchange, parameters) {
      requireLoaded(registry)
      exchange.json(200, operators.overrides(parameters))
    },
  }
}

function originOf({ peer }: Exchange): { readonly peer?: string } {
  return peer === undefined ? {} : { peer }
}

function writeOf(durability: Durability | undefined): OperatorWrite | undefined {
  return durability === undefined ? undefined : { require: durability }
}

function refsOf(batch: Batch<InstanceRef>): ReturnType<typeof toRef>[] {
  const namespace = batch.namespace ?? DEFAULTS.namespace
  return batch.items.map((item) => toRef(item, namespace))
}

/** One result per item; when everything failed, the first error is the status. */
function answerBatch(exchange: Exchange, batch: Batch<InstanceRef>, judged: readonly OverrideResult[]): void {
  const results = mergeResults(batch, judged)
  const failure = commonFailure(results)
  const { warnings } = batch
  const response = { results, ...(warnings === undefined ? {} : { warnings }) }
  if (failure === undefined) exchange.json(200, response)
  else exchange.json(statusOf(failure), { error: failure, ...response })
}
