/** Calls that are settled by the answers of several clusters. */
import type { RegistryError } from '@rollcall/wire'
import type { ClusterEvent } from '../cluster/events.js'
import type { ClientEffect, Token, Turn } from '../machine/events.js'
import type { Reach } from './reach.js'

type Settled = Extract<ClientEffect, { readonly type: 'resolve' | 'reject' }>

interface Round {
  readonly token: Token
  readonly until: 'first' | 'all'
  /** Clusters that have not answered. */
  readonly open: Map<Token, string>
  error: RegistryError | undefined
}

/**
 * Calls that are put to their clusters at once. `first`: done when one has agreed, and rejected when one has
 * refused and no other is in reach to agree. `all`: done when all have answered, and rejected with the first
 * error then. No cluster is waited for before another is asked.
 */
export class Rounds {
  private readonly reach: Reach
  private readonly put: (cluster: string, event: ClusterEvent) => void
  private readonly rounds = new Set<Round>()
  private readonly byToken = new Map<Token, Round>()
  private nextToken = 1

  constructor(reach: Reach, put: (cluster: string, event: ClusterEvent) => void) {
    this.reach = reach
    this.put = put
  }

  /** Whether a call is not settled yet. */
  waits(token: Token): boolean {
    return [...this.rounds].some((round) => round.token === token)
  }

  /** Puts a call; of no clusters it is done at once. Without `token` its end is not told. */
  call(
    turn: Turn,
    token: Token | undefined,
    until: Round['until'],
    events: ReadonlyMap<string, (token: Token) => ClusterEvent>,
  ): void {
    const open = new Map<Token, string>()
    for (const [cluster, build] of events) {
      const own = this.nextToken++
      open.set(own, cluster)
      this.put(cluster, build(own))
    }
    if (token === undefined) return
    if (open.size === 0) return turn.emit({ type: 'resolve', token })
    const round: Round = { token, until, open, error: undefined }
    this.rounds.add(round)
    for (const own of open.keys()) this.byToken.set(own, round)
  }

  /** A cluster has answered. */
  settled(turn: Turn, effect: Settled): void {
    const round = this.byToken.get(effect.token)
    if (round === undefined) return
    this.byToken.delete(effect.token)
    round.open.delete(effect.token)
    if (effect.type === 'reject') round.error ??= effect.error
    else if (round.until === 'first') return this.finish(turn, round, undefined)
    this.review(turn, round)
  }

  /** A cluster came into reach or out of it. */
  tick(turn: Turn): void {
    for (const round of this.rounds) this.review(turn, round)
  }

  /** Rejects the calls of one kind, or all. */
  cancel(turn: Turn, error: RegistryError, until?: Round['until']): void {
    for (const round of this.rounds)
      if (until === undefined || round.until === until) this.finish(turn, round, error)
  }

  private review(turn: Turn, round: Round): void {
    const hope =
      round.until === 'all'
        ? round.open.size > 0
        : [...round.open.values()].some((cluster) => this.reach.mayAnswer(cluster))
    if (round.open.size === 0 || (!hope && round.error !== undefined)) this.finish(turn, round, round.error)
  }

  private finish(turn: Turn, round: Round, error: RegistryError | undefined): void {
    this.rounds.delete(round)
    for (const own of round.open.keys()) this.byToken.delete(own)
    const { token } = round
    turn.emit(error === undefined ? { type: 'resolve', token } : { type: 'reject', token, error })
  }
}
