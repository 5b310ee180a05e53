/** What a node knows of what it judges. Times are on the judged clock, which stands still while the node stalls. */
import type { Flaps } from './damping.js'
import type { Entry } from '../directory/directory.js'
import type { Verdict } from '../records/record.js'
import type { Session, SessionOptions } from '../caller.js'
import type { ProbeOutcome } from '../ports.js'
import type { HoldReason } from './transitions.js'
import type { WheelItem } from './wheel.js'

/** What an instance itself was heard by. */
export type HeardBy = 'registration' | 'beat' | 'probe'

/** Whether a connection to the address of an incarnation was ever made: by this boot of the node, by an earlier one, never. */
export type Baseline = 'own' | 'earlier' | 'none'

/** No other sessions; shared, because nearly no instance has any. */
export const NO_SESSIONS: readonly SessionEvidence[] = []

/** The evidence about one incarnation of one instance. */
export interface Evidence extends WheelItem {
  readonly kind: 'instance'
  readonly entry: Entry
  readonly incarnation: number
  /** Whether this node is its judge. Of what another node judges, silence is not looked at here. */
  isJudge: boolean
  /** The session that vouches for it; a closed one counts until something else is heard. */
  session: SessionEvidence | undefined
  /** Other open sessions that vouched before: which of them its client has given up shows when they close. */
  others: readonly SessionEvidence[]
  /** Since when its silence would be heard here: since this node observes this incarnation, or its former judge fell silent. */
  startedAt: number
  /** When it was judged by another node than before, for the last time; undefined = never. */
  judgeSince: number | undefined
  /** When this node itself last heard the instance by beat or registration; undefined = never. */
  heardAt: number | undefined
  /** By what. A session is evidence of its own. */
  heardBy: HeardBy | undefined
  /** When another node heard it last, as that told; undefined = never. */
  toldAt: number | undefined
  /** When it is claimed, if a session here still vouches for it: another claim was raised in the same moment, and won. */
  claimAt: number
  /** When its judge was told last that it is heard here; undefined = never. */
  passedAt: number | undefined
  /** A refusal means something where a connection was once made. */
  baseline: Baseline
  /** An evidence probe is under way. */
  asking: boolean
  /** When the last evidence probe was asked for. */
  askedAt: number
  /** When its judge was told last that consumers here could not reach it. */
  hintedAt: number
  /** Something was heard after that probe was asked for, so its answer, if still to come, says nothing. */
  outdated: boolean
  /** The answer to the last evidence probe, until something is heard. */
  probe: { readonly at: number; readonly outcome: ProbeOutcome } | undefined
  /** When the current verdict was written here (or learnt). */
  judgedAt: number
  /** When the present series of refusals began. */
  refusedSince: number
  /** Zone in which it counts among those the node hears, once it was heard. */
  countedIn: string | undefined
  /** Its silence was noticed. */
  noticed: boolean
  flaps: Flaps
  /** What holds a verdict back at present. */
  held: HoldReason | undefined
}

/** How evidence begins; `heard`: with the registration of the instance. */
export interface EvidenceStart extends Pick<Evidence, 'isJudge' | 'flaps'> {
  readonly heard: boolean
}

/** The evidence that begins at judged time `t`. */
export function createEvidence(entry: Entry, t: number, { heard, isJudge, flaps }: EvidenceStart): Evidence {
  return {
    kind: 'instance',
    entry,
    incarnation: entry.record.incarnation,
    isJudge,
    session: undefined,
    others: NO_SESSIONS,
    startedAt: t,
    judgeSince: undefined,
    heardAt: heard ? t : undefined,
    heardBy: heard ? 'registration' : undefined,
    toldAt: undefined,
    claimAt: Infinity,
    passedAt: undefined,
    baseline: 'none',
    asking: false,
    askedAt: -Infinity,
    hintedAt: -Infinity,
    outdated: false,
    probe: undefined,
    judgedAt: t,
    refusedSince: Infinity,
    countedIn: undefined,
    noticed: false,
    flaps,
    held: undefined,
    wheelAt: Number.NaN,
  }
}

/** By then a session that its client gave up for one elsewhere has closed. */
const MET_MS = 6_000

/** A verdict was learnt at `t`: what speaks for or against the instance begins anew. Returns whether its judge is another one. */
export function judgedElsewhere(evidence: Evidence, isJudge: boolean, before: Verdict, t: number): boolean {
  const { verdict } = evidence.entry.record
  const anew = before.node !== verdict.node
  const met = anew && evidence.isJudge && before.claim === verdict.claim
  evidence.isJudge = isJudge
  if (anew) evidence.judgeSince = t
  evidence.judgedAt = t
  evidence.claimAt = met ? t + MET_MS : Infinity
  evidence.passedAt = undefined
  evidence.noticed = false
  evidence.outdated = true
  evidence.probe = undefined
  return anew
}

/** When the instance was last heard, by itself, through its session or by another node that told; -Infinity = never. */
export function lastHeard({ heardAt, session, toldAt }: Evidence): number {
  return Math.max(heardAt ?? -Infinity, session?.heardAt ?? -Infinity, toldAt ?? -Infinity)
}

/** What a session is judged by. */
export interface SessionJudge {
  heardSession(session: SessionEvidence, now: number): void
  closeSession(session: SessionEvidence, now: number): void
  movedSession(session: SessionEvidence, now: number): void
}

/** What a session has of its node: the time, and a word when a step of it is done. */
export interface SessionKeeper {
  now(): number
  stepped(): void
}

/** The evidence of a session: one for all its instances, so that an idle session costs one check. */
export class SessionEvidence implements Session, WheelItem {
  readonly kind = 'session'
  readonly id: string
  readonly options: SessionOptions
  readonly vouched: Set<Evidence> = new Set()
  heardAt: number
  closedAt: number | undefined = undefined
  /** Silence was noticed: the next sound is evidence for every instance at once. */
  doubted = false
  wheelAt: number = Number.NaN
  private readonly judge: SessionJudge
  private readonly keeper: SessionKeeper

  /** A session that opens at judged time `t`. */
  constructor(id: string, t: number, options: SessionOptions, judge: SessionJudge, keeper: SessionKeeper) {
    this.id = id
    this.heardAt = t
    this.options = options
    this.judge = judge
    this.keeper = keeper
  }

  heard(): void {
    this.judge.heardSession(this, this.keeper.now())
    this.keeper.stepped()
  }

  close(): void {
    this.judge.closeSession(this, this.keeper.now())
    this.keeper.stepped()
  }

  moved(): void {
    this.judge.movedSession(this, this.keeper.now())
    this.keeper.stepped()
  }
}

/** Anything on the wheel. */
export type Scheduled = Evidence | SessionEvidence
