/** Shape of an explanation. */
import type {
  ExplainedContent,
  ExplainedEvidence,
  ExplainedGuards,
  ExplainedJudge,
  ExplainedOverride,
  ExplainedVerdict,
  Explanation,
  HeardElsewhere,
} from '../explanation.js'
import {
  boolean,
  choice,
  count,
  list,
  literal,
  object,
  optional,
  text,
  union,
  type Shape,
} from '../shape/shape.js'
import { registryEventShape } from './events.js'
import {
  incarnationField,
  intentField,
  livenessField,
  nameField,
  portField,
  stateField,
  unansweredField,
  viaField,
  weightField,
} from './fields.js'
import { instanceKeyFields, probeShape } from './instances.js'
import { freezeSummaryShape } from './namespaces.js'
import { overrideFields } from './overrides.js'
import { guardShape } from './services.js'

const verdictField: Shape<ExplainedVerdict['value']> = choice(['up', 'suspect', 'down', 'expired'])

const contentShape: Shape<ExplainedContent> = object<ExplainedContent>({
  intent: union(intentField, literal('gone')),
  rev: count(),
  by: optional(text({ description: 'Who took it out.' })),
  host: optional(text({ description: 'What is offered, or was last.' })),
  port: optional(portField),
  weight: optional(weightField),
  zone: optional(nameField),
  leaseMs: optional(count()),
  liveness: optional(livenessField),
  probe: optional(probeShape),
  peer: optional(text({ description: 'Address the registration came from.' })),
  via: optional(viaField),
  restored: optional(literal(true)),
})

const heardByField = choice(['session', 'beat', 'registration', 'probe'])

const judgeShape: Shape<ExplainedJudge> = object<ExplainedJudge>({
  node: text({ description: 'The node that looks at its silence.' }),
  claim: count('Raised by each node that takes over.'),
  own: boolean({ description: 'It is the node that explains.' }),
  sinceMs: optional(count('For how long that has been known here, or been so.')),
})

const elsewhereShape: Shape<HeardElsewhere> = object<HeardElsewhere>({
  node: text(),
  name: optional(text()),
  heardMs: optional(count('When it heard the instance last; absent = never.')),
  heardBy: optional(heardByField),
  session: optional(boolean({ description: 'A session vouches for it there.' })),
  judges: optional(literal(true, { description: 'It judges the instance, by its own word.' })),
})

const evidenceShape: Shape<ExplainedEvidence> = object<ExplainedEvidence>({
  watchedMs: count('How long this node has watched this incarnation.'),
  heardMs: optional(count('When this node last heard it; absent = never.')),
  heardBy: optional(heardByField),
  toldMs: optional(count('When another node heard it last, as that told this one; absent = never.')),
  session: optional(
    object<NonNullable<ExplainedEvidence['session']>>({
      open: boolean(),
      silentMs: count(),
      closedMs: optional(count()),
    }),
  ),
  baseline: boolean({ description: 'This node once connected to it, so a refusal means something.' }),
  probeAllowed: boolean(),
  probeUnderWay: boolean(),
  probe: optional(
    object<NonNullable<ExplainedEvidence['probe']>>({
      outcome: choice(['succeeded', 'refused', 'failed', 'skipped', 'unable']),
      ageMs: count(),
    }),
  ),
})

const guardsShape: Shape<ExplainedGuards> = object<ExplainedGuards>({
  held: optional(
    choice(['watcher_doubt', 'island', 'service_breaker', 'freeze'], {
      description: 'What holds back a verdict that judgement wanted.',
    }),
  ),
  watcherDoubtMs: optional(count()),
  service: guardShape,
  freezes: list(freezeSummaryShape),
  dampedMs: optional(count()),
})

export const explanationShape: Shape<Explanation> = object<Explanation>({
  ...instanceKeyFields,
  incarnation: incarnationField,
  summary: text({ description: 'The answer in words.' }),
  listed: boolean(),
  state: optional(stateField),
  stateAgeMs: count(),
  content: contentShape,
  verdict: object<ExplainedVerdict>({
    value: verdictField,
    reason: text(),
    claim: count(),
    node: text(),
    seq: count(),
  }),
  judge: optional(judgeShape),
  override: optional(object<ExplainedOverride>(overrideFields)),
  evidence: optional(evidenceShape),
  elsewhere: optional(list(elsewhereShape, { description: 'What other nodes have heard.' })),
  unanswered: optional(unansweredField),
  guards: guardsShape,
  next: optional(
    object<NonNullable<Explanation['next']>>(
      { verdict: verdictField, reason: text(), inMs: count() },
      { description: 'What silence would bring, and when, unless a guard holds it back.' },
    ),
  ),
  forgottenInMs: optional(count()),
  events: list(registryEventShape),
})
