import type { Instance, RegistryError, ViewName } from '@rollcall/wire'
import { EMPTY_SIGN, RegistryError as RegistryFailure, SignSum } from '@rollcall/wire'
import type { FailureKind } from '../overlay/ejections.js'
import { Ejections, samePeer } from '../overlay/ejections.js'
import { earliest, earliestOf } from '../machine/deadlines.js'
import type { ListChange, ListSource, MergeMode, Token, Turn } from '../machine/events.js'
import type { MachineSettings } from '../machine/settings.js'
import type { ListStatus, Origin, WatchStatus } from '../machine/status.js'
import { viewKey } from '../machine/watch.js'
import type { Removed } from '../mirror.js'
import { instanceKey } from '../mirror.js'
import { nobodyError } from '../overlay/nobody.js'
import type { Choice, Standing } from '../overlay/overlay.js'
import { chooseAmong, NOBODY, tiersOf } from '../overlay/overlay.js'
import type { Answer } from './answer.js'
import { ageOf, guardOf, unknownAnswer } from './answer.js'
import type { Contender } from './election.js'
import { Election } from './election.js'
import { beats, merge } from './merge.js'
import type { Reach } from './reach.js'

/** A list that is chosen from over several clusters. */
export interface MergedWatchOptions {
  readonly name: ViewName
  /** Those that are asked, the best first. */
  readonly clusters: readonly string[]
  readonly merge: MergeMode
}

const SOURCES: readonly ListSource[] = ['registry', 'snapshot', 'static', 'none']

/** One service over several clusters: what is shown, who is called, who waits. What each of them says stays as it is. */
export class MergedWatch {
  readonly key: string
  readonly name: ViewName
  readonly clusters: readonly string[]
  private readonly reach: Reach
  private readonly answers: ReadonlyMap<string, Answer>
  private readonly election: Election | undefined
  private readonly ejections: Ejections
  private headStartAt: number | undefined
  private shown: ReadonlyMap<string, Instance> = new Map()
  private list: readonly Instance[] = []
  private tiers = tiersOf([], [], [])
  private readonly sum = new SignSum()
  private source: ListSource = 'none'
  private overlap = false
  private outdated = true
  /** What to say of those that leave, and whether somebody sent a full list. */
  private readonly reasons = new Map<string, Removed['reason']>()
  private whole = true
  private choice: Choice = NOBODY
  private chooseAt: number | undefined
  private waiters: { readonly token: Token; readonly deadline: number }[] = []

  constructor(
    turn: Turn,
    settings: Pick<MachineSettings, 'times' | 'overlay'>,
    reach: Reach,
    { name, clusters, merge: mode }: MergedWatchOptions,
  ) {
    this.key = viewKey(name)
    this.name = name
    this.clusters = clusters
    this.reach = reach
    this.headStartAt = turn.now + settings.times.headStartMs
    this.election = mode === 'preferred' ? new Election(settings.times.failBackMs) : undefined
    this.ejections = new Ejections(settings.overlay)
    this.answers = new Map(clusters.map((cluster) => [cluster, unknownAnswer(cluster)]))
  }

  /** Whether somebody waits for it. */
  get waiting(): boolean {
    return this.waiters.length > 0
  }

  /** Where the list of a cluster stands now. Returns whether that matters. */
  stood(cluster: string, standing: Standing): boolean {
    const answer = this.answers.get(cluster)
    if (answer === undefined) return false
    const before = answer.standing
    answer.standing = standing
    const returned = standing.live && answer.left.size > 0
    if (returned) answer.left.clear()
    const same = before.source === standing.source && before.instances === standing.instances
    // Freshness decides nothing while no two list the same.
    if (same && before.kept === standing.kept && !this.overlap && !returned) return false
    this.outdated = true
    return true
  }

  /** What changed on the list of a cluster. */
  changed(cluster: string, change: ListChange): void {
    const answer = this.answers.get(cluster)
    if (answer === undefined) return
    if (change.type === 'view') {
      this.whole = true
      answer.guard = change.guard
      answer.stale = change.stale ?? false
    }
    for (const { instance, reason } of change.removes) {
      this.reasons.set(instanceKey(instance), reason)
    }
    const goodbyes = change.removes.filter(({ reason }) => reason === 'deregistered')
    if (goodbyes.length > 0) this.farewell(cluster, goodbyes)
  }

  /** Those whose cluster cannot say so itself are remembered. */
  private farewell(cluster: string, removes: readonly Removed[]): void {
    for (const answer of this.answers.values()) {
      const { live, source, instances } = answer.standing
      if (answer.cluster === cluster || live || source === 'static') continue
      const listed = new Set(instances.map(instanceKey))
      for (const { instance } of removes) {
        const key = instanceKey(instance)
        if (listed.has(key)) answer.left.set(key, instance.incarnation)
      }
    }
  }

  /** A connection is gone: what its cluster said is from now on as old as that. Returns whether it matters. */
  lost(now: number, cluster: string): boolean {
    const answer = this.answers.get(cluster)
    if (answer === undefined || !answer.standing.live) return false
    return this.stood(cluster, { ...answer.standing, live: false, confirmedAt: now })
  }

  ready(turn: Turn, token: Token, timeoutMs: number): void {
    this.waiters.push({ token, deadline: turn.now + timeoutMs })
  }

  cancel(turn: Turn, error: RegistryError): void {
    for (const { token } of this.waiters) turn.emit({ type: 'reject', token, error })
    this.waiters = []
  }

  /** A call failed. The clusters have heard of it before. */
  failed(now: number, instance: Instance, kind: FailureKind): void {
    const key = instanceKey(instance)
    const known = this.everybody().findLast((item) => instanceKey(item) === key)
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
    const { now } = turn
    if (this.headStartAt !== undefined && now >= this.headStartAt) this.headStartAt = undefined
    this.elect(turn)
    if (this.outdated) this.show(turn)
    this.choose(turn)
    this.settle(turn)
  }

  deadline(): number | undefined {
    const waiters = earliestOf(this.waiters, (waiter) => waiter.deadline)
    return earliest(this.headStartAt, this.chooseAt, this.election?.nextAt(this.contenders()), waiters)
  }

  status(now: number): WatchStatus {
    const used = this.used()
    const clusters = this.clusters.map((cluster): ListStatus => {
      const answer = this.answers.get(cluster)!
      const { source, live, sign, instances, kept } = answer.standing
      const counts = { sign, instances: instances.length, kept: kept.length }
      return { cluster, source, live, ...ageOf(now, answer), used: used.includes(answer), ...counts }
    })
    const telling = clusters.filter((item) => item.used && item.source !== 'none')
    const ages = telling.map((item) => item.ageMs).filter((age) => age !== undefined)
    return {
      ...this.name,
      source: this.source,
      sign: this.sum.toString(),
      instances: this.list.length,
      kept: this.tiers[3]?.length ?? 0,
      ...(ages.length === 0 ? {} : { ageMs: Math.max(...ages) }),
      clusters,
    }
  }

  origins(now: number, instance: Instance): readonly Origin[] {
    const key = instanceKey(instance)
    const claims = [...this.answers.values()].flatMap((part) =>
      part.standing.instances
        .filter((item) => instanceKey(item) === key)
        .map((item) => ({ part, instance: item })),
    )
    const used = this.used()
    return claims
      .sort((a, b) => Number(used.includes(b.part)) - Number(used.includes(a.part)) || (beats(a, b) ? -1 : 1))
      .map(({ part }) => {
        const { source, live } = part.standing
        return { cluster: part.cluster, source, live, ...ageOf(now, part) }
      })
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
    this.whole = true
    if (winner === before || (before === undefined && winner === this.clusters[0])) return
    const fields = { service: this.name.service, group: this.name.group, from: before, to: winner }
    turn.emit({ type: 'log', level: 'warn', fields, message: 'another cluster answers for a service' })
  }

  /** Merges what counts, and tells how it differs from what was shown. */
  private show(turn: Turn): void {
    this.outdated = false
    const parts = this.used()
    const { instances, kept, statics, overlap } = merge(parts)
    this.overlap = overlap
    const { upserts, removes } = this.difference(instances)
    const source = SOURCES.find((each) => parts.some((part) => part.standing.source === each)) ?? 'none'
    const type = this.whole ? 'view' : 'delta'
    this.whole = false
    this.reasons.clear()
    this.shown = instances
    const before = this.source
    this.source = source
    if (upserts.length > 0 || removes.length > 0) this.list = [...instances.values()]
    // A static list is the last resort already; what it shows is not offered twice.
    const dynamic = parts.some((part) => part.standing.source === 'static')
      ? this.list.filter((instance) => !statics.includes(instance))
      : this.list
    this.tiers = tiersOf(dynamic, kept, statics)
    if (!this.ejections.empty) this.ejections.retain(this.everybody())
    if (source === before && upserts.length === 0 && removes.length === 0) return
    const change: ListChange = {
      type,
      source,
      sign: this.sum.toString(),
      instances: this.list,
      upserts,
      removes,
    }
    turn.emit({ type: 'list', key: this.key, change: { ...change, ...guardOf(parts) } })
  }

  private difference(after: ReadonlyMap<string, Instance>): { upserts: Instance[]; removes: Removed[] } {
    const before = this.shown
    const upserts: Instance[] = []
    const removes: Removed[] = []
    for (const [key, instance] of after) {
      const old = before.get(key)
      if (old === instance) continue
      // Entries of static lists have no digest.
      if (old !== undefined && old.digest === instance.digest && old.digest !== EMPTY_SIGN) continue
      if (old !== undefined) this.sum.subtractHex(old.digest)
      this.sum.addHex(instance.digest)
      upserts.push(instance)
    }
    for (const [key, instance] of before) {
      if (after.has(key)) continue
      this.sum.subtractHex(instance.digest)
      const reason = this.reasons.get(key)
      removes.push(reason === undefined ? { instance } : { instance, reason })
    }
    return { upserts, removes }
  }

  private choose(turn: Turn): void {
    const { now } = turn
    this.chooseAt = this.ejections.nextAt(now)
    const choice = this.election?.open === true ? NOBODY : this.choiceAt(now)
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
    const choice = chooseAmong(now, this.tiers, this.ejections)
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
    const sure = this.election !== undefined || !this.clusters.some((cluster) => this.pending(cluster))
    if (this.choice.candidates.length > 0 && sure) {
      for (const { token } of this.waiters) turn.emit({ type: 'resolve', token })
      this.waiters = []
    }
    const expired = this.waiters.filter((waiter) => now >= waiter.deadline)
    this.waiters = this.waiters.filter((waiter) => now < waiter.deadline)
    for (const { token } of expired) turn.emit({ type: 'reject', token, error: this.notReady() })
  }

  private notReady(): RegistryError {
    const { service } = this.name
    if (this.source !== 'none') return nobodyError(service, this.list)
    if (this.clusters.some((cluster) => this.reach.connected(cluster)))
      return new RegistryFailure('timeout', `no registry told the instances of ${service} in time`)
    return new RegistryFailure('unreachable', `no registry, snapshot or static list knows ${service}`)
  }

  /** Whether a cluster may still answer within the head start. */
  private pending(cluster: string): boolean {
    if (this.headStartAt === undefined || this.answers.get(cluster)?.standing.source !== 'none') return false
    // Out of reach it may still have a snapshot, which in an order of preference counts.
    return this.election !== undefined || this.reach.mayAnswer(cluster)
  }

  private contenders(): readonly Contender[] {
    return this.clusters.map((cluster) => ({
      cluster,
      standing: this.answers.get(cluster)!.standing,
      pending: this.pending(cluster),
    }))
  }

  /** The answers that count: those of all, or of the one elected. */
  private used(): readonly Answer[] {
    const all = [...this.answers.values()]
    if (this.election === undefined) return all
    if (this.election.open) return []
    const { winner } = this.election
    return winner === undefined ? all : all.filter((answer) => answer.cluster === winner)
  }

  /** Everybody who may ever be called; the later ones are those that count. */
  private everybody(): readonly Instance[] {
    const others = [...this.answers.values()].flatMap(({ standing }) => standing.instances)
    return [...others, ...this.tiers.slice(3).flat(), ...this.list]
  }
}

function alike(a: readonly Instance[], b: readonly Instance[]): boolean {
  return a.length === b.length && a.every((instance, index) => instance === b[index])
}
