import type { RegistryError } from '@rollcall/wire'
import type { ClientEffect, ClientEvent, Token, Turn } from '../machine/events.js'
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
 * Calls that are put to several clusters at once. `first`: done when one has agreed, and rejected when somebody
 * refused and nobody else is in reach to agree. `all`: done when everybody has answered, and rejected with the
 * first error then. Nobody waits for one cluster before another is asked.
 */
export class Rounds {
  private readonly reach: Reach
  private readonly put: (cluster: string, event: ClientEvent) => void
  private readonly rounds = new Set<Round>()
  private readonly byToken = new Map<Token, Round>()
  private nextToken = 1

  constructor(reach: Reach, put: (cluster: string, event: ClientEvent) => void) {
    this.reach = reach
    this.put = put
  }

  /** Whether nobody waits. */
  get idle(): boolean {
    return this.rounds.size === 0
  }

  /** Puts a call; of no clusters it is done at once. `token` undefined: nobody waits. */
  call(
    turn: Turn,
    token: Token | undefined,
    until: Round['until'],
    events: ReadonlyMap<string, (token: Token) => ClientEvent>,
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
    this.judge(turn, round)
  }

  /** Somebody came into reach or out of it. */
  tick(turn: Turn): void {
    for (const round of this.rounds) this.judge(turn, round)
  }

  cancel(turn: Turn, error: RegistryError): void {
    for (const round of this.rounds) this.finish(turn, round, error)
  }

  private judge(turn: Turn, round: Round): void {
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
