/** Commands of very many items in parts that are done one after the other, and one answer from theirs. */
import type { Answers, Command, CommandKind, CommandOf, OverrideOutcome, RemovalLists } from '../commands.js'

/** The command in parts of at most `size` items, or as it is. */
export function partsOf(command: Command, size: number): readonly Command[] {
  if (command.kind === 'register')
    return slicesOf(command.items, size).map((items) => ({ ...command, items }))
  if ('refs' in command && command.refs !== undefined)
    return slicesOf(command.refs, size).map((refs) => ({ ...command, refs }))
  return [command]
}

/** One answer from those of the parts that `partsOf` made, in their order. */
export function joinedAnswer<K extends CommandKind>(
  { kind }: CommandOf<K>,
  answers: readonly Answers[K][],
  size: number,
): Answers[K] {
  const [first] = answers
  if (first !== undefined && answers.length === 1) return first
  // Which answers they are follows from the kind; only these kinds have several parts.
  let joined: unknown
  if (kind === 'register') joined = answers.flat()
  else if (kind === 'override' || kind === 'clearOverrides')
    joined = joinedOutcomes(answers as readonly (readonly OverrideOutcome[])[], size)
  else joined = joinedLists(answers as readonly RemovalLists[], size)
  return joined as Answers[K]
}

function joinedOutcomes(parts: readonly (readonly OverrideOutcome[])[], size: number): OverrideOutcome[] {
  return parts.flatMap((outcomes, part) =>
    outcomes.map((outcome) =>
      outcome.ok ? outcome : { ...outcome, error: placed(outcome.error, part * size) },
    ),
  )
}

function joinedLists(lists: readonly RemovalLists[], size: number): RemovalLists {
  return {
    removed: lists.flatMap(({ removed }) => removed),
    unknown: lists.flatMap(({ unknown }) => unknown),
    superseded: lists.flatMap(({ superseded }) => superseded),
    ...errorsOf(lists, size),
  }
}

function errorsOf(lists: readonly RemovalLists[], size: number): Pick<RemovalLists, 'errors'> {
  const errors = lists.flatMap(({ errors: own = [] }, part) => own.map((error) => placed(error, part * size)))
  return errors.length === 0 ? {} : { errors }
}

/** Errors name the place of their item: within the whole, not within the part. */
function placed<E extends { readonly field?: string }>(error: E, by: number): E {
  if (error.field === undefined) return error
  const field = error.field.replace(
    /^instances\[(\d+)\]/,
    (_, place: string) => `instances[${Number(place) + by}]`,
  )
  return { ...error, field }
}

/** At least one slice. */
function slicesOf<T>(items: readonly T[], size: number): (readonly T[])[] {
  if (items.length <= size) return [items]
  const count = Math.ceil(items.length / size)
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size))
}
