/** The SDK as a module, by `require` and bundled into one file. tools/node-matrix.mjs runs the same on other Nodes. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Child, endAll, run, start } from './support/processes.js'

let registry: Child
/** Outside the checkout: a bundle finds no module here. */
let directory = ''

beforeAll(async () => {
  registry = await start('registry-child.mjs', '127.0.0.1:0')
  directory = await mkdtemp(join(tmpdir(), 'rollcall-bundle-'))
  const { code, output } = await run('smoke/bundle.mjs', directory)
  if (code !== 0 || output !== '') throw new Error(`bundling failed: ${output}`)
})

afterAll(async () => {
  await endAll()
  await rm(directory, { recursive: true, force: true })
})

it.each([
  ['imported', () => 'smoke/import.mjs'],
  ['required', () => 'smoke/require.cjs'],
  ['bundled as a module', () => join(directory, 'bundle.mjs')],
  ['bundled as CommonJS', () => join(directory, 'bundle.cjs')],
])('works %s', async (_, script) => {
  expect(await run(script(), registry.ready)).toEqual({ code: 0, output: `${process.version} ok\n` })
})
