/** The examples of docs/protocol.md are what nodes and clients send. */
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import type { ServerMessage } from '../messages.js'
import { predicateOf, type Predicate } from '../shape/predicate.js'
import type { AnyShape } from '../shape/shape.js'
import { clientMessages, serverMessages } from '../shapes/messages.js'
import { streamSchema } from './stream-schema.js'

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

function strict(shapes: Readonly<Record<string, AnyShape>>): (message: unknown) => boolean {
  const bounds = { textCharsMax: Infinity, pairsCharsMax: Infinity }
  const predicates = new Map<unknown, Predicate>(
    Object.entries(shapes).map(([type, shape]) => [type, predicateOf(shape, { open: false, bounds })]),
  )
  return (message) => predicates.get((message as { type?: unknown }).type)?.(message) === true
}

describe('docs/protocol.md', () => {
  it('shows messages that a node understands as they stand', () => {
    const messages = blocks('client')
    expect(messages.length).toBeGreaterThanOrEqual(7)
    for (const message of messages)
      expect([message, strict(clientMessages)(message)]).toEqual([message, true])
  })

  it('shows messages of a node as they are sent', () => {
    const messages = blocks('server') as ServerMessage[]
    expect(new Set(messages.map((each) => each.type)).size).toBeGreaterThanOrEqual(6)
    for (const message of messages)
      expect([message, strict(serverMessages)(message)]).toEqual([message, true])
  })

  it('shows messages that the published schema of the stream allows', () => {
    const ajv = new Ajv2020({ strict: false })
    ajv.addSchema(streamSchema(), 'stream')
    for (const [mark, name] of [
      ['client', 'ClientMessage'],
      ['server', 'ServerMessage'],
    ] as const) {
      const allows = ajv.compile({ $ref: `stream#/$defs/${name}` })
      for (const message of blocks(mark)) expect([message, allows(message)]).toEqual([message, true])
      expect(allows({ type: 'nothing' })).toBe(false)
    }
    expect(ajv.validate({ $ref: 'stream#/$defs/ClientHello' }, { type: 'hello', client: null })).toBe(true)
    expect(ajv.validate({ $ref: 'stream#/$defs/ClientWatch' }, { type: 'watch' })).toBe(false)
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
