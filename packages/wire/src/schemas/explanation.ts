/** The answer of GET /api/v1/explain, for the OpenAPI document. */
import { z } from 'zod'
import type { Explanation } from '../explanation.js'
import {
  idField,
  incarnationField,
  intentField,
  livenessField,
  nameField,
  portField,
  probeSchema,
  stateField,
  weightField,
} from './fields.js'
import { freezeSummarySchema, registryEventSchema } from './operators.js'

const count = z.int().meta({ minimum: 0 })
const verdictField = z.enum(['up', 'suspect', 'down', 'expired'])

const content = z.object({
  intent: z.union([intentField, z.literal('gone')]),
  rev: count,
  by: z.string().meta({ description: 'Who took it out.' }).exactOptional(),
  host: z.string().meta({ description: 'What is offered, or was last.' }).exactOptional(),
  port: portField.exactOptional(),
  weight: weightField.exactOptional(),
  zone: nameField.exactOptional(),
  leaseMs: count.exactOptional(),
  liveness: livenessField.exactOptional(),
  probe: probeSchema.exactOptional(),
  peer: z.string().meta({ description: 'Address the registration came from.' }).exactOptional(),
  restored: z.literal(true).exactOptional(),
})

const verdict = z.object({
  value: verdictField,
  reason: z.string(),
  claim: count,
  node: z.string(),
  seq: count,
})

const override = z.object({
  drain: z.boolean().exactOptional(),
  disable: z.boolean().exactOptional(),
  weight: z.object({ value: weightField, incarnation: incarnationField }).exactOptional(),
  durationMs: count.exactOptional(),
  remainingMs: count.exactOptional(),
  counter: count,
  node: z.string(),
  by: z.string().exactOptional(),
  why: z.string().exactOptional(),
})

const evidence = z.object({
  watchedMs: count.meta({ description: 'How long this node has watched this incarnation.' }),
  heardMs: count.meta({ description: 'When this node last heard it; absent = never.' }).exactOptional(),
  heardBy: z.enum(['session', 'beat', 'registration', 'probe']).exactOptional(),
  session: z.object({ open: z.boolean(), silentMs: count, closedMs: count.exactOptional() }).exactOptional(),
  baseline: z
    .boolean()
    .meta({ description: 'This node once connected to it, so a refusal means something.' }),
  probeAllowed: z.boolean(),
  probeUnderWay: z.boolean(),
  probe: z
    .object({ outcome: z.enum(['succeeded', 'refused', 'failed', 'skipped', 'unable']), ageMs: count })
    .exactOptional(),
})

const guards = z.object({
  held: z
    .enum(['watcher_doubt', 'service_breaker', 'freeze'])
    .meta({ description: 'What holds back a verdict that judgement wanted.' })
    .exactOptional(),
  watcherDoubtMs: count.exactOptional(),
  service: z.object({ tripped: z.boolean(), kept: count }),
  freezes: z.array(freezeSummarySchema),
  dampedMs: count.exactOptional(),
})

export const explanationSchema: z.ZodType<Explanation> = z.object({
  namespace: nameField,
  service: nameField,
  group: nameField,
  id: idField,
  incarnation: incarnationField,
  summary: z.string().meta({ description: 'The answer in words.' }),
  listed: z.boolean(),
  state: stateField.exactOptional(),
  stateAgeMs: count,
  content,
  verdict,
  override: override.exactOptional(),
  evidence: evidence.exactOptional(),
  guards,
  next: z
    .object({ verdict: verdictField, reason: z.string(), inMs: count })
    .meta({ description: 'What silence would bring, and when, unless a guard holds it back.' })
    .exactOptional(),
  forgottenInMs: count.exactOptional(),
  events: z.array(registryEventSchema),
})
