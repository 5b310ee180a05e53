/** Planted bugs in the judgement of who lives, and in its guards. */
import type { LiveContent, VerdictValue } from '@rollcall/core'
import type {
  EntrySlot,
  Evidence,
  Facts,
  JudgedClock,
  LivenessDeps,
  ServiceBreaker,
  VerdictReason,
  WatcherBreaker,
} from '#core/internal'
import type { NodeDriver } from '@rollcall/server'
import { type Mutation, node, partsOf } from './mutation.js'
import { replace } from './replace.js'

/** Whatever is observed from now on: `change` is done to its evidence. */
function changeEvidence(driver: NodeDriver, change: (evidence: Evidence) => void): void {
  const slot: EntrySlot<Evidence> = partsOf(driver).liveness['evidence']
  replace(slot, 'set', (original, _slot, entry, evidence) => {
    original(entry, evidence)
    if (evidence !== undefined) change(evidence)
  })
}

/** Who lives. */
const JUDGEMENT: readonly Mutation[] = [
  node('no-refutation', 'live evidence refutes', (driver) => {
    const { liveness } = partsOf(driver)
    const judgement = liveness['judge']
    const judge = judgement.judge.bind(judgement)
    judgement.judge = (
      evidence: Evidence,
      value: VerdictValue,
      reason: VerdictReason,
      t: number,
      now: number,
    ) => {
      if (value !== 'up') judge(evidence, value, reason, t, now)
    }
  }),
  node('verdict-takes-content', 'a verdict leaves alone what the provider says', (driver) => {
    const { liveness, directory } = partsOf(driver)
    const { verdicts }: LivenessDeps = liveness['deps']
    replace(verdicts, 'write', (original, _verdicts, entry, value, reason, cause, now) => {
      original(entry, value, reason, cause, now)
      const { content } = entry.record
      if (value !== 'up' || content.intent === 'gone' || content.intent === 'up') return
      const changed = { ...content, intent: 'up' as const, rev: content.rev + 1 }
      directory.propose({ ...entry.record, content: changed }, cause, now)
    })
  }),
  node('no-baseline-needed', 'a refusal votes only where a connection was once possible', (driver) => {
    changeEvidence(driver, (evidence) => {
      evidence.baseline = 'own'
    })
  }),
  node('no-stall-shift', "a stall of the node is no instance's silence", (driver) => {
    const clock: JudgedClock = partsOf(driver).liveness['clock']
    replace(clock, 'tick', () => true)
    replace(clock, 'at', (_original, _clock, now) => now)
  }),
  node('no-wake-grace', 'after a long stall closed sessions get a lease', (driver) => {
    const clock: JudgedClock = partsOf(driver).liveness['clock']
    replace(clock, 'tick', (original, _clock, now) => {
      const judges = original(now)
      clock.wokeAt = -Infinity
      return judges
    })
  }),
  node('dead-on-close', 'a closed session is probed, and has its grace', (driver) => {
    const { liveness } = partsOf(driver)
    replace(liveness, 'closeSession', (original, _liveness, session, now) => {
      const vouched = [...session.vouched]
      original(session, now)
      for (const evidence of vouched) {
        if (evidence.session === session)
          liveness['judge'].judge(evidence, 'down', 'session_closed', now, now)
      }
    })
  }),
  node('close-unnoticed', 'a closed session is judged at once', (driver) => {
    replace(partsOf(driver).liveness, 'closeSession', () => undefined)
  }),
  node('last-session-wins', 'every open session that vouched goes on vouching', (driver) => {
    const others: keyof Evidence = 'others'
    changeEvidence(driver, (evidence) => Object.defineProperty(evidence, others, { get: () => [], set() {} }))
  }),
  node('pings-unheard', 'any byte of a session is evidence', (driver) => {
    replace(partsOf(driver).liveness, 'heardSession', () => undefined)
  }),
  node('kernel-is-process', 'a bare TCP success proves a kernel, not a process', (driver) => {
    const { liveness, directory } = partsOf(driver)
    replace(liveness, 'probed', (original, _liveness, request, outcome, now) => {
      const entry = directory.entry(request.key)
      const asked = request.purpose === 'evidence' && entry?.record.incarnation === request.incarnation
      if (outcome === 'succeeded' && asked) liveness.hear(entry, now, 'probe')
      original(request, outcome, now)
    })
  }),
  node('loaded-counts-as-heard', 'silence counts only for a node that has itself heard', (driver) => {
    const judgement = partsOf(driver).liveness['judge']
    const factsOf = judgement.facts.bind(judgement)
    judgement.facts = (about: Evidence, content: LiveContent): Facts => {
      const facts: Facts = factsOf(about, content)
      const { evidence } = facts
      return { ...facts, evidence: { ...evidence, heardAt: evidence.heardAt ?? evidence.startedAt } }
    }
  }),
  node('unheard-trusted', 'what was never heard may be doubted after a lease', (driver) => {
    const judgement = partsOf(driver).liveness['judge']
    const lookAt = judgement.lookAt.bind(judgement)
    judgement.lookAt = (evidence: Evidence, t: number, now: number) => {
      if (evidence.heardAt !== undefined || evidence.session !== undefined) lookAt(evidence, t, now)
    }
  }),
  node('silence-takes-all', 'silence takes no more than its share of a service', (driver) => {
    const { guards } = partsOf(driver).liveness
    const services: ServiceBreaker = guards['services']
    const watcher: WatcherBreaker = guards['watcher']
    replace(services, 'permitsDeath', () => true)
    replace(watcher, 'trustsSilence', () => true)
  }),
]

/** What holds a verdict back, and what asks for one. */
const GUARDS: readonly Mutation[] = [
  node('mass-believed', 'the silence of many at once is doubted', (driver) => {
    const watcher: WatcherBreaker = partsOf(driver).liveness.guards['watcher']
    replace(watcher, 'trustsSilence', () => true)
  }),
  node('no-damping', 'an instance that comes and goes has to behave', (driver) => {
    replace(partsOf(driver).liveness.guards, 'comesBack', () => false)
  }),
  node('hints-ignored', 'what consumers could not reach is asked', (driver) => {
    replace(partsOf(driver).liveness, 'hint', () => undefined)
  }),
  node('down-for-ever', 'what is down leaves the list after the removal time', (driver) => {
    const judgement = partsOf(driver).liveness['judge']
    const factsOf = judgement.facts.bind(judgement)
    judgement.facts = (about: Evidence, content: LiveContent): Facts => ({
      ...factsOf(about, content),
      removalMs: Infinity,
    })
  }),
]

/** Bugs in the judgement of who lives. */
export const LIVENESS: readonly Mutation[] = [...JUDGEMENT, ...GUARDS]
