/** The short form of `npm run proof floods`, of what no other test floods a node with. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const FLOODS = fileURLToPath(new URL('../../bench/dist/floods.js', import.meta.url))

it.each(['strays', 'sessions', 'since'])(
  'one client that floods a node of little heap with %s is refused or served, and harms no other',
  async (flood) => {
    const child = spawn(process.execPath, [FLOODS, '--short', flood], { stdio: ['ignore', 'ignore', 'pipe'] })
    const [errors, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])
    expect([code, errors]).toEqual([0, ''])
  },
)
