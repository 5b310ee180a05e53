import type { ServerMessage } from '@rollcall/wire'

type Shape = Readonly<Record<string, 'array' | 'string' | 'number' | 'boolean' | 'object'>>

/** What the machine relies on in each message. More may be there; other types of message are of newer nodes. */
const SHAPES: Readonly<Record<ServerMessage['type'], Shape>> = {
  welcome: {
    node: 'string',
    cluster: 'string',
    pingMs: 'number',
    frameBytesMax: 'number',
    batchItemsMax: 'number',
  },
  pong: {},
  registered: { results: 'array' },
  heartbeaten: {},
  deregistered: {},
  watching: {},
  signs: { changed: 'array' },
  settled: { settled: 'boolean', seq: 'number' },
  services: { services: 'array' },
  found: { view: 'object' },
  view: { namespace: 'string', service: 'string', sign: 'string', instances: 'array', seq: 'number' },
  delta: {
    namespace: 'string',
    service: 'string',
    to: 'string',
    upserts: 'array',
    removes: 'array',
    seq: 'number',
  },
  removed: { instances: 'array' },
  goaway: { afterMs: 'number' },
  error: { error: 'object' },
}

/** Reads a frame of a node: the message, `unknown` for a type of a newer node, undefined when it is unreadable. */
export function decode(text: string): ServerMessage | 'unknown' | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string')
    return undefined
  if (!Object.hasOwn(SHAPES, value.type)) return 'unknown'
  const shape = SHAPES[value.type as ServerMessage['type']]
  for (const [name, kind] of Object.entries(shape)) {
    const member: unknown = Reflect.get(value, name)
    if (kind === 'array' ? !Array.isArray(member) : typeof member !== kind || member === null)
      return undefined
  }
  // The shape above is what the machine needs; the rest is the node's word, as the contract has it.
  return value as ServerMessage
}
