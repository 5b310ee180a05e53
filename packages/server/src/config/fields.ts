/** Kinds of settings: schemas that refuse with one sentence and carry what the reference says about them. */
import { defined, formatDuration, formatSize, SIZE_EXAMPLES, TIME_EXAMPLES } from '@rollcall/wire'
import { z } from 'zod'

/**
 * How a setting is written where everything is text: a word, a number, a time such as `3s`, a size such as `8MiB`, true or
 * false, a,b,c or JSON.
 */
export type SettingKind = 'text' | 'integer' | 'duration' | 'size' | 'switch' | 'list' | 'json'

/** What is said about a setting beside its schema. */
export interface Note {
  /** What it does, why it has its default, and what follows from changing it. */
  readonly reason: string
  readonly kind: SettingKind
  /** What a value looks like. */
  readonly form: string
  /** All values there are, where there are few. */
  readonly choices?: readonly string[]
  /**
   * Name of its group, where the setting stands for all of it: its flag and variable have it, and in the file it may be
   * written in place of the group.
   */
  readonly short?: string
  /** What stands for `true`, and for the flag without a value. */
  readonly bare?: string
}

/** A text with a form. */
export function text(
  form: string,
  reason: string,
  valid: (value: string) => boolean,
  { short, bare }: Pick<Note, 'short' | 'bare'> = {},
): z.ZodString {
  const error = `must be ${form}`
  const note: Note = { reason, kind: 'text', form, ...defined({ short, bare }) }
  return z
    .string({ error })
    .refine(valid, { error })
    .meta({ ...note })
}

/** A whole number within bounds. */
export function integer(min: number, max: number, reason: string): z.ZodInt {
  return whole('integer', min, max, `an integer from ${min} to ${max}`, reason)
}

/** Milliseconds within bounds. */
export function duration(min: number, max: number, reason: string): z.ZodInt {
  const bounds = `from ${formatDuration(min)} to ${formatDuration(max)}`
  const form = `a time ${bounds}, such as ${TIME_EXAMPLES}; a plain number counts milliseconds`
  return whole('duration', min, max, form, reason)
}

/** Bytes within bounds. */
export function size(min: number, max: number, reason: string): z.ZodInt {
  const bounds = `from ${formatSize(min)} to ${formatSize(max)}`
  const form = `a size ${bounds}, such as ${SIZE_EXAMPLES}; a plain number counts bytes`
  return whole('size', min, max, form, reason)
}

function whole(kind: SettingKind, min: number, max: number, form: string, reason: string): z.ZodInt {
  const error = `must be ${form}`
  const note: Note = { reason, kind, form }
  return z
    .int({ error })
    .min(min, { error })
    .max(max, { error })
    .meta({ ...note })
}

/** True or false. */
export function toggle(reason: string): z.ZodBoolean {
  const note: Note = { reason, kind: 'switch', form: 'true or false' }
  return z.boolean({ error: 'must be true or false' }).meta({ ...note })
}

export function choice<const T extends readonly string[]>(
  values: T,
  reason: string,
): z.ZodEnum<{ [K in T[number]]: K }> {
  const form = `one of ${values.join(', ')}`
  const note: Note = { reason, kind: 'text', form, choices: values }
  return z.enum(values, { error: `must be ${form}` }).meta({ ...note })
}

/** How many items a list has; without bounds it may be empty, and as long as it likes. */
interface ListBounds {
  readonly itemsMin: number
  readonly itemsMax: number
}

/** A list of texts that each have a form. */
export function list(
  item: string,
  valid: (value: string) => boolean,
  reason: string,
  { short, ...bounds }: Partial<ListBounds> & Pick<Note, 'short'> = {},
): z.ZodArray<z.ZodString> {
  const { itemsMin = 0, itemsMax = Infinity } = bounds
  const form = `a list${itemsMax === Infinity ? '' : ` of ${itemsMin} to ${itemsMax}`}, each ${item}`
  const note: Note = { reason, kind: 'list', form, ...defined({ short }) }
  const entry = z.string({ error: `must be ${item}` }).refine(valid, { error: `must be ${item}` })
  return z
    .array(entry, { error: `must be ${form}` })
    .min(itemsMin, { error: `must be ${form}` })
    .max(itemsMax, { error: `must be ${form}` })
    .meta({ ...note })
}
