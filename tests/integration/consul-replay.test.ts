/** What real clients of Consul send, replayed byte by byte: each answer lets its client go on, but for the gaps that are known. */
import { readFileSync, readdirSync } from 'node:fs'
import { startNode, type EmbeddedNode } from '@rollcall/server'
import { afterEach, describe, expect, it } from 'vitest'
import { type Difference, replay, type Transcript } from './support/consul-replay.js'
import { freePort } from './support/processes.js'

const FOLDER = new URL('fixtures/consul/', import.meta.url)

interface Gap {
  readonly client: string
  /** Line of the request. */
  readonly request: string
  /** How the difference begins. */
  readonly difference: string
  readonly why: string
}

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'))

const GAPS = read('known-gaps.json') as readonly Gap[]

let node: EmbeddedNode | undefined
afterEach(async () => {
  await node?.close()
  node = undefined
})

describe('a transcript of', () => {
  const names = readdirSync(FOLDER).filter((name) => name !== 'known-gaps.json')

  it.each(names)('%s', async (name) => {
    const port = await freePort()
    node = await startNode({
      memory: true,
      listen: '127.0.0.1:0',
      consul: `127.0.0.1:${port}`,
      logLevel: 'error',
    })
    const found = await replay(port, read(name) as Transcript)
    const known = GAPS.filter(({ client }) => client === name)
    const isKnown = ({ request, difference }: Difference): boolean =>
      known.some((gap) => gap.request === request && difference.startsWith(gap.difference))
    expect(found.filter((each) => !isKnown(each))).toEqual([])
    // A gap that is closed is to be taken out of the list.
    const isOpen = (gap: Gap): boolean =>
      found.some(
        ({ request, difference }) => gap.request === request && difference.startsWith(gap.difference),
      )
    expect(known.filter((gap) => !isOpen(gap))).toEqual([])
  })

  it('no other client is in the list of gaps', () => {
    expect(GAPS.filter(({ client }) => !names.includes(client))).toEqual([])
  })
})
