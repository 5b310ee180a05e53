/** One probe of a host: its addresses, within one timeout, to one answer. */
import type { Clock, ProbeRequest } from '@rollcall/core'
import type { AddressRule } from './address-rule.js'
import { attempt } from './attempt.js'
import { targetOf, type ProbeMethod } from './method.js'
import type { AddressResolver } from './resolver.js'
import { ask, type Connect, type ProbeAnswer } from './socket.js'

export interface HostProbeDeps {
  readonly clock: Clock
  readonly connect: Connect
  readonly resolver: AddressResolver
  readonly rule: AddressRule
}

/** Cause of an outcome. */
export const FORBIDDEN = 'address not allowed'
/** Addresses tried of a host name, one after the other within one timeout. */
const ADDRESSES_MAX = 4
/**
 * A timeout that fires this late means that the event loop stood still, and Node runs timers before it reads
 * the sockets that may long hold the answer: it gets this much more time to be read.
 */
const STALL_MS = 20

/**
 * Resolves the host where it is a name, asks its allowed addresses one after the other, and answers once:
 * `failed` at the timeout of the request at the latest. The returned function gives up without an answer; after one it
 * does nothing.
 */
export function beginHostProbe(
  { clock, connect, resolver, rule }: HostProbeDeps,
  request: ProbeRequest,
  method: ProbeMethod,
  callback: (answer: ProbeAnswer) => void,
): () => void {
  const { host, peer, timeoutMs } = request
  let stop = (): void => {}
  const abandon = (): void => {
    cancelTimeout()
    stop()
  }
  const end = (answer: ProbeAnswer): void => {
    abandon()
    callback(answer)
  }
  const timedOut = (): void => end({ outcome: 'failed', cause: 'timeout' })
  const deadlineMs = clock.now() + timeoutMs
  let cancelTimeout = clock.setTimer(timeoutMs, () => {
    if (clock.now() < deadlineMs + STALL_MS) return timedOut()
    cancelTimeout = clock.setTimer(STALL_MS, timedOut)
  })
  const askAll = (addresses: readonly string[]): void => {
    const converse = method.conversation(request)
    stop = attempt(
      (address, answered) => ask(connect, targetOf(request, method, address), converse, answered),
      addresses,
      end,
    )
  }
  if (rule.decide(host, peer) === 'allowed') askAll([host])
  else
    stop = resolver.resolve(host, (found) => {
      // The address that was judged is the address that is asked, whatever the name means a moment later.
      const allowed = found.filter((address) => rule.allows(address, peer)).slice(0, ADDRESSES_MAX)
      if (allowed.length > 0) askAll(allowed)
      else if (found.length > 0) end({ outcome: 'skipped', cause: FORBIDDEN })
      else end({ outcome: 'failed', cause: 'unknown host' })
    })
  return abandon
}
