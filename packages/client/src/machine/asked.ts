/** Questions to the operating system whose answer is only a default. */

/**
 * What the operating system says, or undefined: a container may have a user without an entry and no home, and then
 * Node's functions throw. A default is no reason not to start.
 */
export function asked<T>(question: () => T): T | undefined {
  try {
    return question()
  } catch {
    return undefined
  }
}
