/** What follows from the refusal of a registration. */
import type { ErrorBody, ErrorCode, RegistryError } from '@rollcall/wire'

/**
 * What follows from the refusal of a registration.
 * raise: a predecessor's record is in the way; take a higher incarnation at once.
 * conflict: a live process holds the id; never raise against it, ask again slowly.
 * anew: this incarnation was deregistered from outside; after the hold-off register with a new one.
 * later: trouble of the node; ask again soon.
 * smaller: the message was too large as a whole; send less at a time.
 * refused: the registry does not want it as it is.
 */
export type Reaction = 'raise' | 'conflict' | 'anew' | 'later' | 'smaller' | 'refused'

const REACTIONS: Partial<Record<ErrorCode, Reaction>> = {
  superseded: 'raise',
  id_taken: 'conflict',
  deregistered: 'anew',
  internal: 'later',
  not_ready: 'later',
  stopping: 'later',
  not_durable: 'later',
  body_too_large: 'smaller',
  batch_too_large: 'smaller',
}

/**
 * The reaction to a refusal; unknown codes of newer nodes count as refusals, and so does an incarnation in the way that
 * cannot be exceeded.
 */
export function reactionTo(error: ErrorBody): Reaction {
  const reaction = REACTIONS[error.code] ?? 'refused'
  const renumbers = reaction === 'raise' || reaction === 'anew'
  return renumbers && (blockingIncarnation(error) ?? 0) > INCARNATION_MAX ? 'refused' : reaction
}

/** Larger incarnations are not used: from there on numbers would no longer be exact for long. */
export const INCARNATION_MAX: number = 2 ** 52

/** The incarnation that is in the way, where the node names it. */
export function blockingIncarnation(error: ErrorBody): number | undefined {
  const value = error.details?.['incarnation']
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined
}

/** Whether the number is more than a node takes, as where another one drove it up: the own clock may give one that is not. */
export function isTooFarAhead({ details }: Pick<RegistryError, 'details'>): boolean {
  return typeof details?.['incarnationMax'] === 'number'
}
