/** Shapes of the event log. */
import { EVENT_KINDS, type EventsResponse, type RegistryEvent } from '../events.js'
import { choice, count, list, object, optional, text, type Shape } from '../shape/shape.js'
import {
  idField,
  incarnationField,
  nameField,
  signatureFields,
  stateField,
  unansweredField,
  viaField,
} from './fields.js'

export const registryEventShape: Shape<RegistryEvent> = object<RegistryEvent>({
  seq: count(),
  at: text({ description: 'ISO 8601, by the clock of the node.' }),
  kind: choice(EVENT_KINDS),
  namespace: optional(text()),
  service: optional(nameField),
  group: optional(nameField),
  id: optional(idField),
  incarnation: optional(incarnationField),
  from: optional(stateField),
  to: optional(stateField),
  reason: optional(text()),
  ...signatureFields,
  peer: optional(text({ description: 'Address of the caller; absent where the node acted by itself.' })),
  via: optional(viaField),
  zone: optional(text({ description: 'guard_*: zone in which the node doubts its ears.' })),
  lateMs: optional(count()),
  node: optional(text({ description: 'Node that noted it, with `nodes=all`.' })),
})

export const eventsResponseShape: Shape<EventsResponse> = object<EventsResponse>({
  node: text({ description: 'Another node counts its events from 1.' }),
  events: list(registryEventShape),
  next: count('Give this as `after` to read on.'),
  lost: optional(count('Events after `after` that are forgotten already.')),
  unanswered: optional(unansweredField),
})
