/** The balancer `round-robin`: one after the other. */
import type { Instance } from '@rollcall/wire'
import type { Balancer } from './balancer.js'
import type { Random } from '../machine/ports.js'

/** Each candidate in turn, from a random start, so that many clients do not begin with the same one. */
export function createRoundRobin(random: Random): Balancer {
  let list: readonly Instance[] = []
  let position = -1
  return {
    update(candidates) {
      list = candidates
      if (position < 0) position = Math.floor(random() * Math.max(1, list.length))
    },
    pick() {
      const n = list.length
      if (n === 0) return undefined
      if (position >= n) position = 0
      return list[position++]
    },
  }
}
