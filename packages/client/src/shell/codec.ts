/** Frames of a node, checked as a whole before anything behind them has to trust a type. */
import type { ErrorBody, Instance, ServerMessage } from '@rollcall/wire'
import {
  errorResponseShape,
  instanceShape,
  predicateOf,
  serverMessages,
  type Predicate,
} from '@rollcall/wire/shapes'

/**
 * A node may be newer: fields and words that this version does not know are accepted. It may also be broken or hostile,
 * so numbers and lengths are held against the contract. Texts for people may end in a log; metadata may be eight times
 * what nodes allow by default.
 */
const OF_A_NODE = { open: true, bounds: { textCharsMax: 4_096, pairsCharsMax: 65_536 } }

const CHECKS: ReadonlyMap<string, Predicate> = new Map(
  Object.entries(serverMessages).map(([type, shape]) => [type, predicateOf(shape, OF_A_NODE)]),
)

const isErrorResponse = predicateOf(errorResponseShape, OF_A_NODE)

const isInstance = predicateOf(instanceShape, OF_A_NODE)

/** Whether a value from JSON is a list of instances that a node could have sent. */
export function isInstances(value: unknown): value is readonly Instance[] {
  return Array.isArray(value) && value.every(isInstance)
}

/** Reads a frame of a node: the message, `unknown` for a type of a newer node, undefined when it is unreadable. */
export function decode(frame: string): ServerMessage | 'unknown' | undefined {
  const value = parsed(frame)
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string')
    return undefined
  const check = CHECKS.get(value.type)
  if (check === undefined) return 'unknown'
  return check(value) ? (value as ServerMessage) : undefined
}

/** The error in the HTTP answer of a node; undefined where it is the answer of something else. */
export function errorIn(answer: string): ErrorBody | undefined {
  const value = parsed(answer)
  return isErrorResponse(value) ? (value as { readonly error: ErrorBody }).error : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
