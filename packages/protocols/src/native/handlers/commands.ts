/** What changes the registry over HTTP: how each request is read, which command it is, and how that is answered. */
import type { CommandKind, CommandOf, Done } from '@rollcall/core'
import { DEFAULTS, type Durability, type InstanceRef } from '@rollcall/wire'
import {
  readClearing,
  readFreeze,
  readNamespaceSettings,
  readOverride,
  readRestore,
  readServiceSettings,
  type Batch,
} from '@rollcall/wire/schemas'
import { statusOf } from '../../http/errors.js'
import type { Exchange } from '../../http/exchange.js'
import { checkName, commonFailure, durable, mergeResults, toRefs } from '../mapping.js'
import { viewNameOf } from '../queries.js'
import { ALL_HEARD, deregister, heartbeat, register, type BatchContext, type Outcome } from './batches.js'
import { DECLARATION_BYTES_MAX, FREEZE_BYTES_MAX, readBody, type HandlerDeps, type Handlers } from './deps.js'
import { undeclared } from './unknown.js'

const ALL_HEARD_TEXT = JSON.stringify(ALL_HEARD)

/** Handlers of the routes for batches of instances, which the stream shares. */
export function createBatches({
  registry,
  options,
}: HandlerDeps): Handlers<'register' | 'heartbeat' | 'deregister'> {
  const itemsMax = options.limits.batchItemsMax
  const contextOf = ({ caller }: Exchange, need?: Durability): BatchContext => ({
    registry,
    caller,
    itemsMax,
    need,
  })
  return {
    register(exchange, parameters) {
      const context = contextOf(exchange, parameters.durability)
      readBody(exchange, parameters, async (body) => respond(exchange, await register(context, body)))
    },
    heartbeat(exchange, parameters) {
      const context = contextOf(exchange)
      readBody(exchange, parameters, (body) => {
        const outcome = heartbeat(context, body)
        if (outcome.response === ALL_HEARD) exchange.text(200, ALL_HEARD_TEXT)
        else respond(exchange, outcome)
      })
    },
    deregister(exchange, parameters) {
      const context = contextOf(exchange, parameters.durability)
      readBody(exchange, parameters, async (body) => respond(exchange, await deregister(context, body)))
    },
  }
}

/** Handlers of the routes by which operators change instances and namespaces. */
export function createOperatorCommands(
  deps: HandlerDeps,
): Handlers<'putOverrides' | 'clearOverrides' | 'freeze' | 'unfreeze' | 'restore'> {
  const itemsMax = deps.options.limits.batchItemsMax
  return {
    putOverrides(exchange, parameters) {
      readBody(exchange, parameters, async (body) => {
        const { batch, frame } = readOverride(body, itemsMax)
        const command = { kind: 'override', refs: toRefs(batch, DEFAULTS.namespace), ...frame } as const
        answerBatch(exchange, batch, await execute(deps, exchange, command, parameters.durability))
      })
    },
    clearOverrides(exchange, parameters) {
      readBody(exchange, parameters, async (body) => {
        const { batch, frame } = readClearing(body, itemsMax)
        const command = { kind: 'clearOverrides', refs: toRefs(batch, DEFAULTS.namespace), ...frame } as const
        answerBatch(exchange, batch, await execute(deps, exchange, command, parameters.durability))
      })
    },
    freeze(exchange, parameters) {
      readBody(
        exchange,
        parameters,
        async (body) => {
          const { value, warnings } = readFreeze(body)
          const { namespace = DEFAULTS.namespace } = value
          const { durability } = await execute(deps, exchange, { kind: 'freeze', ...value, namespace })
          answer(exchange, { durability }, warnings)
        },
        FREEZE_BYTES_MAX,
      )
    },
    unfreeze(exchange, parameters) {
      readBody(
        exchange,
        parameters,
        async (body) => {
          const { value } = readFreeze(body)
          const { namespace = DEFAULTS.namespace } = value
          const done = await execute(deps, exchange, { kind: 'unfreeze', ...value, namespace })
          answer(exchange, { removed: done.answer.existed })
        },
        FREEZE_BYTES_MAX,
      )
    },
    restore(exchange, parameters) {
      readBody(exchange, parameters, async (body) => {
        const { value, warnings } = readRestore(body)
        const namespace = checkName(value.namespace ?? DEFAULTS.namespace, 'namespace')
        checkName(value.service, 'service')
        const command = { kind: 'restore', ...value, namespace } as const
        const done = await execute(deps, exchange, command, parameters.durability)
        answer(exchange, { ...done.answer, durability: done.durability }, warnings)
      })
    },
  }
}

/** Handlers of the routes by which services and namespaces are declared. */
export function createDeclarations(
  deps: HandlerDeps,
): Handlers<'declareService' | 'undeclareService' | 'declareNamespace' | 'undeclareNamespace'> {
  return {
    declareService(exchange, parameters) {
      const { namespace, service } = viewNameOf(parameters)
      exchange.body(async (body) => {
        const { value: settings, warnings } = readServiceSettings(body)
        const command = { kind: 'declareService', namespace, service, settings } as const
        const { durability } = await execute(deps, exchange, command)
        answer(exchange, { durability }, warnings)
      }, DECLARATION_BYTES_MAX)
    },
    async undeclareService(exchange, parameters) {
      const { namespace, service } = viewNameOf(parameters)
      const command = { kind: 'declareService', namespace, service, settings: null } as const
      const { existed } = (await execute(deps, exchange, command)).answer
      if (!existed) throw undeclared(namespace, service)
      answer(exchange, { removed: true })
    },
    declareNamespace(exchange, { namespace }) {
      exchange.body(async (body) => {
        const { value: settings, warnings } = readNamespaceSettings(body)
        const command = { kind: 'declareNamespace', namespace, settings } as const
        const { durability } = await execute(deps, exchange, command)
        answer(exchange, { durability }, warnings)
      }, DECLARATION_BYTES_MAX)
    },
    async undeclareNamespace(exchange, { namespace }) {
      const command = { kind: 'declareNamespace', namespace, settings: null } as const
      answer(exchange, { removed: (await execute(deps, exchange, command)).answer.existed })
    },
  }
}

function execute<K extends CommandKind>(
  { registry }: HandlerDeps,
  { caller }: Exchange,
  command: CommandOf<K>,
  need?: Durability,
): Promise<Done<K>> {
  return registry.execute(command, caller, need)
}

function answer(exchange: Exchange, response: object, warnings?: readonly string[]): void {
  exchange.json(200, warnings === undefined ? response : { ...response, warnings })
}

/** One result per item. */
function answerBatch(
  exchange: Exchange,
  batch: Batch<InstanceRef>,
  { answer: taken, durability }: Done<'override' | 'clearOverrides'>,
): void {
  const results = mergeResults(batch, durable(taken, durability))
  const { warnings } = batch
  const response = { results, ...(warnings === undefined ? {} : { warnings }) }
  respond(exchange, { response, failure: commonFailure(results) })
}

/** When everything failed, the answer is an error like any other, with the usual body beside it. */
function respond(exchange: Exchange, { response, failure }: Outcome<object>): void {
  if (failure === undefined) exchange.json(200, response)
  else exchange.json(statusOf(failure), { error: failure, ...response })
}
