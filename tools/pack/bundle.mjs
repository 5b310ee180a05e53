/** The command with the server and every library in one CommonJS file, which is what a single executable of Node 20 can run. */
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
import { ROOT } from '../prepare.mjs'

const PACKAGES = join(ROOT, 'packages')
const ENTRY = join(PACKAGES, 'cli', 'dist', 'main.js')

/** Modules that read the manifest beside them. They are run while bundling, and what they export becomes constants. */
const FROZEN = [join(PACKAGES, 'cli', 'dist', 'version.js'), join(PACKAGES, 'server', 'dist', 'version.js')]

/** Optional accelerators of `ws`, which it asks for unless these are set. They are binaries, and no file holds them here. */
const DEFINE = { 'process.env.WS_NO_BUFFER_UTIL': '"1"', 'process.env.WS_NO_UTF_8_VALIDATE': '"1"' }

const frozen = {
  name: 'frozen',
  async load(id) {
    if (!FROZEN.includes(id)) return undefined
    const exported = await import(pathToFileURL(id).href)
    return Object.entries(exported)
      .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)}`)
      .join('\n')
  },
  transform(code, id) {
    if (id.startsWith(PACKAGES) && /\bimport\.meta\b/.test(code))
      throw new Error(
        `${id} looks beside itself, and a single executable has nothing beside it: freeze it in ${import.meta.filename}`,
      )
  },
}

/**
 * Bundles the built command. Resolves to its `code`, and to the `modules` of libraries in it by path, whose licences
 * go along. Rejects where the code would need a file that is not in it. The same sources give the same bytes.
 */
export async function bundleCommand() {
  const bundle = await rolldown({
    input: ENTRY,
    cwd: ROOT,
    platform: 'node',
    plugins: [frozen],
    transform: { define: DEFINE },
  })
  try {
    const { output } = await bundle.generate({ format: 'cjs', codeSplitting: false })
    const [chunk, ...others] = output
    if (others.length > 0) throw new Error(`the bundle is ${output.length} files instead of one`)
    const outside = requiredBy(chunk.code).filter((name) => !isBuiltin(name))
    if (outside.length > 0) throw new Error(`the bundle asks for ${outside.join(', ')}, which is not in it`)
    return { code: chunk.code, modules: Object.keys(chunk.modules) }
  } finally {
    await bundle.close()
  }
}

/** Names that bundled code requires. The bundler writes code with double quotes; comments it leaves as they are. */
function requiredBy(code) {
  return [...new Set([...code.matchAll(/\brequire\("([^"\n]+)"\)/g)].map(([, name]) => name))]
}
