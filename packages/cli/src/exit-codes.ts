/** Exit codes, and which error ends with which. */
import { isRegistryError } from '@rollcall/wire'

/** What the exit code of every command means; `run` alone ends with the code of its command. */
export const EXIT: { readonly ok: 0; readonly failed: 1; readonly usage: 2; readonly unreachable: 3 } = {
  ok: 0,
  /** The registry or the machine refuses. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** No registry answered, or not in time. */
  unreachable: 3,
}

/** A mistake on the command line that the parser alone cannot see. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The exit code of a command that ended with this error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage
  if (!isRegistryError(error)) return EXIT.failed
  switch (error.code) {
    case 'unreachable':
    case 'timeout':
      return EXIT.unreachable
    // Such as a name with a blank in it, which only the registry refuses.
    case 'invalid_argument':
      return EXIT.usage
    default:
      return EXIT.failed
  }
}
