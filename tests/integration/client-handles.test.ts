/** What a client leaves behind when it was closed in the middle of everything: nothing. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { endAll, run, start } from './support/processes.js'

afterAll(endAll)

it('leaves no timer, socket or watcher after close()', async () => {
  const registry = await start('registry-child.mjs', '127.0.0.1:0')
  const hanging = await start('hanging-child.mjs')
  const snapshots = await mkdtemp(join(tmpdir(), 'rollcall-handles-'))
  const { code, output } = await run('handles-child.mjs', registry.ready, snapshots, hanging.ready)
  await rm(snapshots, { recursive: true, force: true })
  expect({ code, output }).toEqual({ code: 0, output: '[]' })
})
