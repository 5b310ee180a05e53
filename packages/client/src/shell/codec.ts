import type { ServerMessage } from '@rollcall/wire'
import { isSign } from '@rollcall/wire'
import type { Check } from './shape.js'
import { count, flag, list, number, object, optional, text, texts } from './shape.js'

/** Longest name, id or host a node may send. The contract allows no more than 320. */
const NAME_CHARS_MAX = 512

/** Longest text for people, which may end in a log. */
const WORDS_CHARS_MAX = 4_096

/** Metadata of one instance. Eight times what nodes allow by default. */
const METADATA_CHARS_MAX = 65_536

const name = text(NAME_CHARS_MAX)
const words = text(WORDS_CHARS_MAX)
const sign: Check = (value) => typeof value === 'string' && isSign(value)
const port: Check = (value) => count(value) && (value as number) >= 1 && (value as number) <= 65_535
const weight: Check = (value) => number(value) && (value as number) >= 0

const view = { namespace: name, service: name, group: optional(name) }
const instance = object({
  namespace: name,
  service: name,
  group: name,
  id: name,
  host: name,
  port,
  protocol: optional(name),
  weight,
  zone: optional(name),
  metadata: texts(METADATA_CHARS_MAX),
  // States are not checked by name: one of a newer node is simply not one that is called.
  state: name,
  stateAgeMs: number,
  incarnation: count,
  digest: sign,
  reason: optional(words),
})
const remove = object({ group: name, id: name, incarnation: count, reason: name })
const error = object({ code: name, message: words, field: optional(words), details: optional(object({})) })
const result: Check = (value) =>
  object({ ok: flag })(value) && ((value as { ok: boolean }).ok || refused(value))
const refused = object({ error })

/** What the machine relies on in each message; other types of message are of newer nodes. */
const CHECKS: Readonly<Record<ServerMessage['type'], Check>> = {
  welcome: object({
    node: name,
    cluster: name,
    pingMs: number,
    frameBytesMax: number,
    batchItemsMax: number,
  }),
  pong: object({}),
  registered: object({ results: list(result), warnings: optional(list(words)) }),
  heartbeaten: object({}),
  deregistered: object({}),
  watching: object({}),
  signs: object({ changed: list(object({ ...view, sign })) }),
  settled: object({ settled: flag, seq: count }),
  services: object({ services: list(object({})) }),
  found: object({ view: object({}) }),
  view: object({
    ...view,
    sign,
    instances: list(instance),
    removes: optional(list(remove)),
    guard: object({ tripped: flag, kept: count }),
    stale: flag,
    seq: count,
  }),
  delta: object({ ...view, to: sign, upserts: list(instance), removes: list(remove), seq: count }),
  removed: object({
    instances: list(
      object({ namespace: name, service: name, group: name, id: name, incarnation: count, reason: name }),
    ),
  }),
  goaway: object({ reason: optional(words), afterMs: number }),
  error: object({ error }),
}

/** Reads a frame of a node: the message, `unknown` for a type of a newer node, undefined when it is unreadable. */
export function decode(frame: string): ServerMessage | 'unknown' | undefined {
  let value: unknown
  try {
    value = JSON.parse(frame)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string')
    return undefined
  if (!Object.hasOwn(CHECKS, value.type)) return 'unknown'
  return CHECKS[value.type as ServerMessage['type']](value) ? (value as ServerMessage) : undefined
}
