/** Exceptions from the rules, each with its reason. One that is none any more fails the tests: the lists only get shorter. */

/** Type names that several product files declare. */
export const SHARED_TYPE_NAMES: Readonly<Record<string, string>> = {
  Clock: 'one port: core has it for servers, client and cli, which do not see core, for themselves',
  Logger: 'one port: core has it for servers, and the client, which does not see core, for its users',
}

/** Long files, and long functions as `path: name`. */
export const LONG: Readonly<Record<string, string>> = {
  'tests/simulation/invariants/living.ts: createLiving': 'to be split: simulation',
}

/** Folders with files that do not say what they are for; `test:` before those whose tests do not. */
export const HEADLESS: Readonly<Record<string, string>> = {}

/** Folders whose prose speaks of persons where it means nodes, instances, clients or callers. */
export const PERSONS: Readonly<Record<string, string>> = {}

/** Packages without a README. */
export const NO_README: Readonly<Record<string, string>> = {}
