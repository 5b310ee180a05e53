/** One watched service: what is shown, which instances may be called, and the calls that wait for that. */
import type { Instance, RegistryError, ViewName } from '@rollcall/wire'
import { RegistryError as RegistryFailure } from '@rollcall/wire'
import type { ClusterList } from '../cluster/events.js'
import { earliest, earliestOf } from '../machine/deadlines.js'
import type { Choice, FailureKind, ListChange, MergeMode, Token, Turn } from '../machine/events.js'
import { NO_CHOICE } from '../machine/events.js'
import { instanceKey, samePeer, viewKey } from '../machine/keys.js'
import type { MachineSettings, MachineTimes } from '../machine/settings.js'
import type { Origin, WatchStatus } from '../machine/status.js'
import { ClusterAnswer } from './answer.js'
import { chooseAmong } from './choice.js'
import { Ejections } from './ejections.js'
import type { Contender } from './election.js'
import { Election } from './election.js'
import { beats } from './merge.js'
import type { Reach } from './reach.js'
import type { ShownList } from './shown-list.js'
import { MergedList, SingleList } from './shown-list.js'
import { noInstancesError } from '../machine/errors.js'

/** Where and how a service is looked for. */
export interface WatchedListOptions {
  readonly name: ViewName
  /** Those that are asked, the best first. */
  readonly clusters: readonly string[]
  readonly merge: MergeMode
}

/** A call that waits until there is something to call. */
interface Waiter {
  readonly token: Token
  readonly deadline: number
  /** Its deadline where the last instance was deregistered. */
  readonly deregisteredDeadline: number
}

/** A list over all the clusters that are asked for it. What each of them says stays as it is. */
export class WatchedList {
  readonly key: string
  readonly name: ViewName
  readonly clusters: readonly string[]
  private readonly reach: Reach
  private readonly answers: readonly ClusterAnswer[]
  private readonly shown: ShownList
  private readonly election: Election | undefined
  private readonly ejections: Ejections
  private headStartAt: number | undefined
  private outdated = true
  private choice: Choice = NO_CHOICE
  private chooseAt: number | undefined
  private waiters: Waiter[] = []
  /** The list is empty, and those that were last on it were deregistered. */
  private deregistered = false
  private readonly times: MachineTimes

  constructor(
    turn: Turn,
    settings: Pick<MachineSettings, 'times' | 'choice' | 'snapshots'>,
    reach: Reach,
    { name, clusters, merge }: WatchedListOptions,
  ) {
    const several = clusters.length > 1
    this.key = viewKey(name)
    this.name = name
    this.clusters = clusters
    this.reach = reach
    this.times = settings.times
    this.headStartAt = turn.now + settings.times.headStartMs
    this.election = several && merge === 'preferred' ? new Election(settings.times.failBackMs) : undefined
    this.ejections = new Ejections(settings.choice)
    this.answers = clusters.map((cluster) => new ClusterAnswer(cluster, settings.snapshots))
    this.shown = several ? new MergedList() : new SingleList()
  }

  /** Whether a call waits for it. */
  get waiting(): boolean {
    return this.waiters.length > 0
  }

  /** Where the list of a cluster stands now, and how it differs from before. Returns whether that matters. */
  told(turn: Turn, cluster: string, list: ClusterList, change: ListChange | undefined): boolean {
    const answer = this.answerOf(cluster)
    if (answer === undefined) return false
    if (change !== undefined) {
      answer.follow(change)
      this.emit(turn, this.shown.changed(change))
      const gone = change.removes.filter(({ reason }) => reason === 'deregistered')
      if (gone.length > 0) {
        const others = this.answers.filter((other) => other !== answer)
        for (const other of others) other.leave(gone.map(({ instance }) => instance))
      }
    }
    // Freshness decides nothing while no two clusters list the same instance.
    if (!answer.take(list) && !this.shown.overlap) return false
    this.outdated = true
    return true
  }

  /** A connection is gone: what its cluster said is from now on as old as that. Returns whether it matters. */
  lost(turn: Turn, cluster: string): boolean {
    const list = this.answerOf(cluster)?.list
    if (list === undefined || !list.live) return false
    return this.told(turn, cluster, { ...list, live: false, confirmedAt: turn.now }, undefined)
  }

  /** The snapshot of a cluster was read. Returns whether that may matter. */
  loaded(cluster: string): boolean {
    const answer = this.answerOf(cluster)
    if (answer !== undefined) answer.loading = false
    return this.waiting
  }

  ready(turn: Turn, token: Token, timeoutMs: number, call: boolean): void {
    const { now } = turn
    const leftMs = call ? this.times.deregisteredWaitMs : timeoutMs
    this.waiters.push({ token, deadline: now + timeoutMs, deregisteredDeadline: now + leftMs })
  }

  cancel(turn: Turn, error: RegistryError): void {
    for (const { token } of this.waiters) turn.emit({ type: 'reject', token, error })
    this.waiters = []
  }

  /** A call failed. The clusters have heard of it before. */
  failed(now: number, instance: Instance, kind: FailureKind): void {
    const key = instanceKey(instance)
    const known = this.callable().findLast((item) => instanceKey(item) === key)
    if (known !== undefined && samePeer(known, instance)) this.ejections.failed(now, known, kind)
  }

  trying(now: number, instance: Instance): void {
    this.ejections.trying(now, instance)
  }

  /** Returns whether that changes anything. */
  succeeded(instance: Instance): boolean {
    return this.ejections.succeeded(instance)
  }

  /** Brings everything up to date after something happened, or when `deadline` has come. */
  step(turn: Turn): void {
    if (this.headStartAt !== undefined && turn.now >= this.headStartAt) this.headStartAt = undefined
    this.elect(turn)
    if (this.outdated) this.show(turn)
    this.choose(turn)
    this.settle(turn)
  }

  deadline(): number | undefined {
    const waiters = earliestOf(this.waiters, (waiter) => this.deadlineOf(waiter))
    return earliest(this.headStartAt, this.chooseAt, this.election?.nextAt(this.contenders()), waiters)
  }

  status(now: number): WatchStatus {
    const used = this.used()
    const clusters = this.answers.map((answer) => answer.status(now, used.includes(answer)))
    const telling = clusters.filter((item) => item.used && item.source !== 'none')
    const ages = telling.map((item) => item.ageMs).filter((age) => age !== undefined)
    const { source, sign, instances, tiers } = this.shown
    return {
      ...this.name,
      source,
      sign,
      instances: instances.length,
      kept: tiers[3].length,
      ...(ages.length === 0 ? {} : { ageMs: Math.max(...ages) }),
      clusters,
    }
  }

  /** Where an instance is listed, first of all where it was taken from. */
  origins(now: number, instance: Instance): readonly Origin[] {
    const key = instanceKey(instance)
    const claims = this.answers.flatMap((part) =>
      part.list.instances
        .filter((item) => instanceKey(item) === key)
        .map((item) => ({ part, instance: item })),
    )
    const used = this.used()
    return claims
      .sort((a, b) => Number(used.includes(b.part)) - Number(used.includes(a.part)) || (beats(a, b) ? -1 : 1))
      .map(({ part }) => part.origin(now))
  }

  private elect(turn: Turn): void {
    const { election } = this
    if (election === undefined) return
    const before = election.winner
    const open = election.open
    election.vote(turn.now, this.contenders(), this.ejections)
    const { winner } = election
    if (winner === before && election.open === open) return
    this.outdated = true
    this.shown.restart()
    if (winner === before || (before === undefined && winner === this.clusters[0])) return
    const fields = { service: this.name.service, group: this.name.group, from: before, to: winner }
    turn.emit({ type: 'log', level: 'warn', fields, message: 'another cluster answers for a service' })
  }

  private show(turn: Turn): void {
    this.outdated = false
    const change = this.shown.show(this.used())
    if (!this.ejections.empty) this.ejections.retain(this.callable())
    this.emit(turn, change)
  }

  private emit(turn: Turn, change: ListChange | undefined): void {
    if (change === undefined) return
    const { instances, removes } = change
    if (instances.length > 0) this.deregistered = false
    else if (removes.length > 0) this.deregistered = removes.some(({ reason }) => reason === 'deregistered')
    turn.emit({ type: 'list', key: this.key, change })
  }

  private choose(turn: Turn): void {
    const { now } = turn
    this.chooseAt = this.ejections.nextAt(now)
    const choice = this.election?.open === true ? NO_CHOICE : this.choiceAt(now)
    const before = this.choice
    const same =
      alike(choice.candidates, before.candidates) &&
      alike(choice.trials, before.trials) &&
      alike(choice.spare, before.spare)
    if (same && choice.hopeless === before.hopeless) return
    this.choice = choice
    turn.emit({ type: 'candidates', key: this.key, ...choice })
  }

  private choiceAt(now: number): Choice {
    const choice = chooseAmong(now, this.shown.tiers, this.ejections)
    const more = this.election?.trials(now, this.contenders(), this.ejections) ?? []
    const trials = more.filter((instance) => !choice.candidates.includes(instance))
    if (trials.length === 0) return choice
    return {
      candidates: [...choice.candidates, ...trials],
      trials: [...choice.trials, ...trials],
      spare: choice.spare,
      hopeless: false,
    }
  }

  private settle(turn: Turn): void {
    const { now } = turn
    if (this.waiters.length === 0) return
    const sure = this.election !== undefined || !this.answers.some((answer) => this.pending(answer))
    if (this.choice.candidates.length > 0 && sure) {
      for (const { token } of this.waiters) turn.emit({ type: 'resolve', token })
      this.waiters = []
    }
    const refusal = this.refusal()
    if (refusal !== undefined) return this.cancel(turn, refusal)
    const expired = this.waiters.filter((waiter) => now >= this.deadlineOf(waiter))
    this.waiters = this.waiters.filter((waiter) => now < this.deadlineOf(waiter))
    for (const { token } of expired) turn.emit({ type: 'reject', token, error: this.notReady() })
  }

  /** Why nothing will come: no list is known from anywhere, and every cluster that has nodes refuses the connection. */
  private refusal(): RegistryError | undefined {
    if (this.headStartAt !== undefined || this.shown.source !== 'none') return undefined
    if (this.answers.some(({ loading }) => loading)) return undefined
    const refusals = this.answers.map(({ cluster }) => this.reach.refusal(cluster))
    return refusals.includes(undefined) ? undefined : refusals[0]
  }

  private deadlineOf({ deadline, deregisteredDeadline }: Waiter): number {
    return this.deregistered ? deregisteredDeadline : deadline
  }

  private notReady(): RegistryError {
    const { service } = this.name
    if (this.shown.source !== 'none') return noInstancesError(service, this.shown.instances)
    if (this.clusters.some((cluster) => this.reach.connected(cluster)))
      return new RegistryFailure('timeout', `no registry told the instances of ${service} in time`)
    const reasons = this.clusters.flatMap((cluster) => {
      const reason = this.reach.lastFailure(cluster)
      return reason === undefined ? [] : [`${cluster}: ${reason}`]
    })
    const message = `no registry, snapshot or static list knows ${service}`
    const why = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`
    return new RegistryFailure('unreachable', `${message}${why}`)
  }

  private answerOf(cluster: string): ClusterAnswer | undefined {
    return this.answers.find((answer) => answer.cluster === cluster)
  }

  /** Whether a cluster may still answer within the head start. */
  private pending({ cluster, list }: ClusterAnswer): boolean {
    if (this.headStartAt === undefined || list.source !== 'none') return false
    // Out of reach it may still have a snapshot, which in an order of preference counts.
    return this.election !== undefined || this.reach.mayAnswer(cluster)
  }

  private contenders(): readonly Contender[] {
    return this.answers.map((answer) => {
      const { cluster, list } = answer
      return { cluster, list, pending: this.pending(answer) }
    })
  }

  /** The answers that count: those of all, or of the one elected. */
  private used(): readonly ClusterAnswer[] {
    if (this.election === undefined) return this.answers
    if (this.election.open) return []
    const { winner } = this.election
    return winner === undefined ? this.answers : this.answers.filter(({ cluster }) => cluster === winner)
  }

  /** All instances that may ever be called; the later ones are those that count. */
  private callable(): readonly Instance[] {
    const { tiers, instances } = this.shown
    return [...this.answers.flatMap(({ list }) => list.instances), ...tiers[3], ...tiers[4], ...instances]
  }
}

function alike(a: readonly Instance[], b: readonly Instance[]): boolean {
  return a === b || (a.length === b.length && a.every((instance, index) => instance === b[index]))
}
