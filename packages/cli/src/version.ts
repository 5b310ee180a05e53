/** Version of this package, as `--version` prints it. */
import { createRequire } from 'node:module'

/** Version of this package. Its manifest lies above `src` and `dist` alike. */
export const VERSION: string = (
  createRequire(import.meta.url)('../package.json') as { readonly version: string }
).version
