/** What a node answers when its peers ask: what it knows itself, through the one door, and what its prober finds. */
import {
  ANONYMOUS,
  type PeerListener,
  type PeerQuestionKind,
  type PeerQuestions,
  type ProbeOutcome,
  type ProbeRequest,
  type Registry,
} from '@rollcall/core'

export interface PeerAnswersDeps {
  readonly registry: Pick<Registry, 'read'>
  readonly prober: {
    probe(request: ProbeRequest, callback: (outcome: ProbeOutcome) => void): void
  }
  /** Up to which revision of the engine this node has followed. */
  readonly followed: () => number
}

type AnswersOf = {
  readonly [K in PeerQuestionKind]: (
    question: PeerQuestions[K]['asks'],
  ) => PeerQuestions[K]['answers'] | Promise<PeerQuestions[K]['answers']>
}

/** Creates the answers. */
export function createPeerAnswers({ registry, prober, followed }: PeerAnswersDeps): PeerListener['answer'] {
  const read = registry.read({ principal: ANONYMOUS })
  const isBehind = (revision: number | undefined): boolean => revision !== undefined && followed() < revision
  const answers: AnswersOf = {
    probe: (request) => new Promise((resolve) => prober.probe(request, (outcome) => resolve(outcome))),
    explain: (key) => read.explain(key) ?? null,
    subscribers: ({ revision, seq, ageMs, ...name }) => {
      const answer = read.audience(name, { ...(seq === undefined ? {} : { seq }), ageMs: ageMs ?? 0 })
      if (answer === undefined) return null
      return isBehind(revision) ? { ...answer, settled: false, behind: true } : answer
    },
    settled: ({ names, revision, seq }) => {
      const answer = read.settled(names, seq)
      return isBehind(revision) ? { ...answer, settled: false, behind: true } : answer
    },
    events: (query) => read.events(query),
  }
  return async (_peer, kind, question) => answers[kind](question)
}
