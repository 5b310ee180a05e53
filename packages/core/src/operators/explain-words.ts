/** An explanation in words, for a reader in a hurry. Pure. */
import type { Explanation } from '@rollcall/wire'
import type { VerdictReason } from '../liveness/transitions.js'

/** One or a few sentences: where it stands, why, and what comes next. */
export function explainInWords(explanation: Omit<Explanation, 'summary'>): string {
  const { service, id, listed } = explanation
  const parts = listed ? standing(explanation) : absence(explanation)
  return [`${id} of ${service} ${parts[0]}.`, ...parts.slice(1).map((part) => `${part}.`)].join(' ')
}

type Told = Omit<Explanation, 'summary'>

function absence(told: Told): string[] {
  const { content, stateAgeMs, verdict, override, incarnation } = told
  const ago = `${span(stateAgeMs)} ago`
  const banned =
    override?.disable === true ? ['An instance that registers under this id will be disabled'] : []
  const forgotten = told.forgottenInMs === undefined ? [] : [`It is forgotten in ${span(told.forgottenInMs)}`]
  if (content.intent === 'gone') {
    const author = { provider: 'by name', host: 'with everything on its host', operator: 'by an operator' }
    const how = author[content.by as keyof typeof author] ?? 'by another caller'
    return [
      `is not listed: incarnation ${incarnation} was deregistered ${how} ${ago}, for good`,
      'A process may register it anew under a higher number',
      ...banned,
      ...forgotten,
    ]
  }
  return [
    `is not listed: it expired ${ago} (${reason(verdict.reason)})`,
    'Any sign of life brings it back',
    ...banned,
    ...forgotten,
  ]
}

function standing(told: Told): string[] {
  const { state, stateAgeMs, verdict, override, content } = told
  const wishes = override?.disable === true || override?.drain === true
  const why = override?.why === undefined ? '' : `: ${override.why}`
  const who = override?.by === undefined ? 'an operator' : override.by
  const until = override?.remainingMs === undefined ? '' : ` for another ${span(override.remainingMs)}`
  const because =
    state === 'disabled' || (state === 'draining' && wishes)
      ? `because ${who} said so${until}${why}`
      : state === 'draining' || state === 'starting'
        ? 'because its provider says so'
        : `because ${reason(verdict.reason)}`
  const first = `has been listed as ${state} for ${span(stateAgeMs)}, ${because}`
  const restored =
    content.restored === true
      ? ['An operator brought it back, and its provider has not registered since']
      : []
  return [first, ...restored, ...judged(told), ...heard(told), ...held(told), ...coming(told)]
}

function judged({ judge, evidence }: Told): string[] {
  const told = evidence?.toldMs === undefined ? [] : [`Another node heard it ${span(evidence.toldMs)} ago`]
  return judge === undefined || judge.own ? told : [`Node ${judge.node} judges it, not this one`, ...told]
}

function heard({ evidence, content }: Told): string[] {
  if (evidence === undefined || content.liveness === 'static') {
    return content.liveness === 'static' ? ['It is static: no evidence is asked of it'] : []
  }
  const { heardMs, heardBy, watchedMs, session, probe, probeAllowed } = evidence
  const said =
    heardMs === undefined
      ? `This node has not heard it in the ${span(watchedMs)} it has watched`
      : `This node heard it ${span(heardMs)} ago by ${heardBy ?? 'registration'}`
  const closed = session?.open === false ? [`Its session closed ${span(session.closedMs ?? 0)} ago`] : []
  const asked = probe === undefined ? [] : [`A probe ${PROBED[probe.outcome]} ${span(probe.ageMs)} ago`]
  const mute = probeAllowed ? [] : ['It may not be probed from here']
  return [said, ...closed, ...asked, ...mute]
}

const PROBED = {
  succeeded: 'succeeded',
  refused: 'was refused',
  failed: 'failed',
  skipped: 'was not made',
  unable: 'could not be made by this node',
} as const

function held({ guards }: Told): string[] {
  const { freezes, dampedMs } = guards
  const freeze = freezes.map(
    ({ by, why }) =>
      `The namespace is frozen${by === undefined ? '' : ` by ${by}`}${why === undefined ? '' : `: ${why}`}`,
  )
  const damped = dampedMs === undefined ? [] : [`It flapped and has to behave for another ${span(dampedMs)}`]
  const { tripped, kept } = guards.service
  const holds =
    guards.held === 'service_breaker'
      ? [
          tripped
            ? `It would be down by silence, but the guard keeps ${keptText(kept)} of this service`
            : 'It is silent, but the only instance of its service, so it is kept as suspect',
        ]
      : guards.held === 'watcher_doubt'
        ? ['Its silence is not believed: too much fell silent at once, so the node doubts its own ears']
        : guards.held === 'island'
          ? ['It is silent, but this node lost the engine, or did until a moment ago: others may hear it']
          : []
  return [...holds, ...freeze, ...damped]
}

function keptText(kept: number): string {
  return kept === 1 ? '1 silent instance' : `${kept} silent instances`
}

function coming({ next, guards }: Told): string[] {
  if (next === undefined || guards.held !== undefined) return []
  return [`If nothing more is heard it is ${next.verdict} in ${span(next.inMs)}`]
}

/** Reasons of verdicts that are not plain words. */
const REASONS: Readonly<Record<VerdictReason, string>> = {
  registered: 'it registered',
  heard: 'it was heard again',
  silence: 'it is silent',
  long_silence: 'it has been silent for very long',
  unheard: 'this node has never heard it',
  session_closed: 'its session closed and no other came',
  refused: 'its port refuses connections',
  flapping: 'it keeps coming and going',
  behaved: 'it has behaved since it flapped',
  down_too_long: 'it was down for too long',
  restored: 'an operator brought it back',
}

function reason(code: string): string {
  return Object.hasOwn(REASONS, code) ? REASONS[code as VerdictReason] : code
}

/** A time in its largest fitting unit. */
function span(ms: number): string {
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`
}
