// Bundles the SDK and its user into single files: `bundle.mjs DIRECTORY` writes bundle.mjs and bundle.cjs.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const [directory] = process.argv.slice(2)
const input = fileURLToPath(new URL('bundled.mjs', import.meta.url))
// Accelerators of `ws` that it does without where they are not installed.
const bundle = await rolldown({ input, platform: 'node', external: ['bufferutil', 'utf-8-validate'] })
for (const [format, extension] of [
  ['esm', 'mjs'],
  ['cjs', 'cjs'],
])
  await bundle.write({ format, file: join(directory, `bundle.${extension}`) })
await bundle.close()
