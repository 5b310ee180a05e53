/** The node is a package of its own: a machine that only uses the command does without it. */

/** This machine has the command, but no node to run. */
export class MissingServerError extends Error {
  override readonly name = 'MissingServerError'
}

/** Throws the error of loading a command, as one line of what to do where it is the node that is not installed. */
export function withoutServer(error: unknown): never {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown }
  if (code !== 'ERR_MODULE_NOT_FOUND' || !String(message).includes(`'@rollcall/server'`)) throw error
  throw new MissingServerError(
    'this command needs a node, which is not installed: `npm install --global rollcall` has both, `npm install @rollcall/server` adds it',
    { cause: error },
  )
}
