import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { ServerMessage } from '../messages.js'
import { clientMessageSchema } from './client-messages.js'
import { deltaSchema, viewSchema } from './responses.js'

const document = readFileSync(new URL('../../../../docs/protocol.md', import.meta.url), 'utf8')
const vectors = JSON.parse(readFileSync(new URL('../../vectors/sign.json', import.meta.url), 'utf8')) as {
  story: { before: Signed; after: Signed; delta: { from: string; to: string } }
}
interface Signed {
  readonly sign: string
  readonly instances: readonly { readonly id: string; readonly digest: string }[]
}

function blocks(mark: string): unknown[] {
  const found = [...document.matchAll(new RegExp(`^\`\`\`json ${mark}\n(.*)\n\`\`\`$`, 'gm'))]
  return found.map(([, text = '']) => JSON.parse(text) as unknown)
}

describe('docs/protocol.md', () => {
  it('shows messages that a node understands as they stand', () => {
    const messages = blocks('client')
    expect(messages.length).toBeGreaterThanOrEqual(7)
    for (const message of messages) expect(clientMessageSchema.parse(message)).toEqual(message)
  })

  it('shows views and deltas as they are sent', () => {
    const messages = blocks('server') as ServerMessage[]
    expect(new Set(messages.map((each) => each.type)).size).toBeGreaterThanOrEqual(6)
    for (const message of messages) {
      if (message.type === 'view') expect(viewSchema.safeParse(message).success).toBe(true)
      if (message.type === 'delta') expect(deltaSchema.safeParse(message).success).toBe(true)
    }
  })

  it('tells the story of the vectors', () => {
    const { before, after, delta } = vectors.story
    const line = (list: Signed): RegExp =>
      new RegExp(
        `^list ${list.instances.map(({ id, digest }) => ` +${id} ${digest}`).join('')} +sign ${list.sign}`,
        'm',
      )
    expect(document).toMatch(line(before))
    expect(document).toMatch(line(after))
    expect(document).toContain(`from ${delta.from}`)
    expect(document).toContain(`sign ${delta.to} = to`)
  })
})
