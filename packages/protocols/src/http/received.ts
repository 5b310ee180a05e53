/** The bytes of request bodies, counted while they arrive and until the answer was sent. */
import type { ServerResponse } from 'node:http'
import type { HttpBudgets } from './budgets.js'
import { SHORT_BYTES } from './unsent.js'

/**
 * Counts the body of a request until its response is closed, and returns what is to be told of each part of it. A stated
 * length counts at once. Throws `limit_exceeded`, as the returned function does, where the peer may send no more now. Short
 * bodies have room of their own: beats get through while large ones are refused.
 */
export function countBody(
  { received, receivedShort }: Pick<HttpBudgets, 'received' | 'receivedShort'>,
  peer: string | undefined,
  res: ServerResponse,
  statedBytes: number | undefined,
): (bytes: number) => void {
  const budget = statedBytes !== undefined && statedBytes <= SHORT_BYTES ? receivedShort : received
  let held = 0
  const hold = (bytes: number): void => {
    budget.take(peer, bytes)
    held += bytes
  }
  if (statedBytes !== undefined) hold(statedBytes)
  // It comes once; `once` costs more than the count does.
  res.on('close', () => {
    budget.give(peer, held)
    held = 0
  })
  return statedBytes === undefined ? hold : () => {}
}
