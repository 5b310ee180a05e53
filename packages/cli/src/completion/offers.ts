/** Words that fill the value of an option, kept beside its declaration, so that the parser and the completion agree. */
import type { Option } from 'commander'

const OFFERS = new WeakMap<Option, readonly string[]>()

/** The option, whose value, or each part of it between commas, may be one of these words. */
export function offering(option: Option, words: readonly string[]): Option {
  OFFERS.set(option, words)
  return option
}

/** The words of an option; undefined where none were declared. */
export function offersOf(option: Option): readonly string[] | undefined {
  return option.argChoices ?? OFFERS.get(option)
}
