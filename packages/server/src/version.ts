/** The version that a node reports, and when it was made. */
import { readFileSync } from 'node:fs'

const { version, released } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
) as { readonly version: string; readonly released: string }

/** Version of the software, from the package itself. */
export const SOFTWARE_VERSION: string = version

/** Date of this release in milliseconds since the epoch, from the package itself: it goes up with the version. */
export const RELEASED_AT: number = Date.parse(released)
