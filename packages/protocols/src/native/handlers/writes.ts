/** Registration, heartbeat and deregistration over HTTP. */
import type { Durability } from '@rollcall/wire'
import { statusOf } from '../../http/errors.js'
import type { Exchange } from '../../http/exchange.js'
import { readBody, type HandlerDeps, type Handlers } from './deps.js'
import { ALL_HEARD, deregister, heartbeat, register, type Outcome, type Surroundings } from './operations.js'

const ALL_HEARD_TEXT = JSON.stringify(ALL_HEARD)

/** Handlers of the routes that write instances. */
export function createWrites(deps: HandlerDeps): Handlers<'register' | 'heartbeat' | 'deregister'> {
  const { registry, options } = deps
  const around = ({ peer }: Exchange, durability?: Durability): Surroundings => {
    return {
      registry,
      origin: peer === undefined ? {} : { peer },
      itemsMax: options.limits.batchItemsMax,
      write: durability === undefined ? undefined : { require: durability },
    }
  }
  return {
    register(exchange, parameters) {
      const surroundings = around(exchange, parameters.durability)
      readBody(exchange, parameters, async (body) => answer(exchange, await register(surroundings, body)))
    },
    heartbeat(exchange, parameters) {
      const surroundings = around(exchange)
      readBody(exchange, parameters, (body) => {
        const outcome = heartbeat(surroundings, body)
        if (outcome.response === ALL_HEARD) exchange.text(200, ALL_HEARD_TEXT)
        else answer(exchange, outcome)
      })
    },
    deregister(exchange, parameters) {
      const surroundings = around(exchange, parameters.durability)
      readBody(exchange, parameters, async (body) => answer(exchange, await deregister(surroundings, body)))
    },
  }
}

/** When everything failed, the answer is an error like any other, with the usual body beside it. */
function answer(exchange: Exchange, { response, failure }: Outcome<object>): void {
  if (failure === undefined) exchange.json(200, response)
  else exchange.json(statusOf(failure), { error: failure, ...response })
}
