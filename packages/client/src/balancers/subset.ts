/** A stable part of a large service. */
import type { Instance } from '@rollcall/wire'
import type { AttemptReport, Balancer } from './balancer.js'
import { hashText, Identity } from './hash.js'
import { instanceKey } from '../machine/keys.js'

/** Which part of a very large service a client calls. */
export interface SubsetOptions {
  /** Instances called. Enough to carry what this client sends when a few fail: 20 or more. */
  readonly size: number
  /**
   * Names this client among all clients of the service: the same name is the same part. Default: host name and
   * process id.
   */
  readonly client?: string
}

/**
 * Only `size` of the candidates, the same ones as long as they are there: those that draw the highest numbers for
 * this client. When one leaves, one comes in its place; a newcomer takes the place of one at most. Over all clients
 * the parts are spread by chance: with c clients each instance is in about c · size / n parts, give or take the
 * square root of that.
 */
export function createSubset(inner: Balancer, { size, client }: Required<SubsetOptions>): Balancer {
  const place = hashText(client)
  return {
    update(candidates) {
      inner.update(candidates.length <= size ? candidates : part(candidates, size, place))
    },
    pick: (key) => inner.pick(key),
    began: (instance) => inner.began?.(instance),
    ended: (instance: Instance, report: AttemptReport) => inner.ended?.(instance, report),
  }
}

function part(candidates: readonly Instance[], size: number, place: number): readonly Instance[] {
  const ranked = candidates.map((instance, index) => {
    const key = instanceKey(instance)
    return { index, key, drawn: new Identity(key).at(place) }
  })
  ranked.sort((a, b) => b.drawn - a.drawn || (a.key < b.key ? -1 : 1))
  const chosen = ranked.slice(0, size).map(({ index }) => index)
  return chosen.sort((a, b) => a - b).map((index) => candidates[index]!)
}
