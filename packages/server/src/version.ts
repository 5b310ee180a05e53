/** The version that a node reports. */
import { readFileSync } from 'node:fs'

/** Version of the software, from the package itself. */
export const SOFTWARE_VERSION: string = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    readonly version: string
  }
).version
