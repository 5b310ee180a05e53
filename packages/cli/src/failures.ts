/** What a failed command prints: for a person one line and what to do next, for scripts the error as JSON. */
import { isRegistryError, type ErrorBody, type ErrorCode, type RegistryError } from '@rollcall/wire'
import { UsageError } from './exit-codes.js'
import { MissingServerError } from './missing-server.js'
import { printable } from './table.js'

/** What to do next, in terms of this command; other codes say it in their message. */
const HINTS: Readonly<Partial<Record<ErrorCode, string>>> = {
  unreachable: 'Start a registry with `rollcall serve`, or name another one with --registry URL.',
  timeout: 'Wait longer with --timeout 30s, or ask another registry with --registry URL.',
  forbidden_host:
    'Name the registry by its address in --registry, or have the node started with --allowed-hosts NAME (allowedHosts in its rollcall.yaml).',
  frozen: 'See `rollcall events --kind frozen`, and `rollcall unfreeze`.',
  needs_confirmation: 'If that is what you want, repeat the command with --confirm.',
}

/**
 * Words an error for a person: one line, and one on what to do where there is something. Only a mistake of ours
 * shows its stack.
 */
export function describeFailure(error: unknown): string {
  if (!isExpected(error)) {
    const trace = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return `rollcall: a mistake in Rollcall itself, please report it:\n${trace}`
  }
  if (!isRegistryError(error)) return `rollcall: ${printable(error.message, '\n')}`
  const field = fieldOf(error)
  const hint = HINTS[error.code]
  const line = `rollcall: ${printable(error.message, '\n')}${printable(field)}`
  return hint === undefined ? line : `${line}\n${hint}`
}

/** The field behind a message that does not name it. A place in the batch of one that a command sends says nothing. */
function fieldOf({ message, field = '' }: RegistryError): string {
  const named = field.replace(/^instances\[0\]\.?/, '')
  return named === '' || message.startsWith(`${named} `) ? '' : ` (${named})`
}

/** An error as `--json` prints it, in the form the API has. */
export function failureBody(error: unknown): {
  readonly error: ErrorBody | { readonly code: string; readonly message: string }
} {
  if (isRegistryError(error)) return { error: error.toBody() }
  const code = error instanceof UsageError ? 'usage' : isExpected(error) ? 'failed' : 'internal'
  return { error: { code, message: error instanceof Error ? error.message : String(error) } }
}

/** Whether it is a refusal of ours or of the operating system, not a mistake in this code. */
function isExpected(error: unknown): error is Error {
  if (isRegistryError(error) || error instanceof UsageError || error instanceof MissingServerError)
    return true
  // JournalError by name: its package is loaded by two commands only.
  return error instanceof Error && (error.name === 'JournalError' || 'syscall' in error)
}
