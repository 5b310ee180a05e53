/** Bodies: which may be sent again. */
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { type FetchBody, outgoingBody } from './body.js'

describe('a body', () => {
  it.each<readonly [string, () => FetchBody, boolean]>([
    ['text', () => 'text', true],
    ['bytes', () => new Uint8Array(2), true],
    ['a blob', () => new Blob(['text']), true],
    ['a stream of Node', () => Readable.from(['text']), false],
    ['a stream of the web', () => new Blob(['text']).stream(), false],
  ])('of %s', async (_, make, replayable) => {
    const body = await outgoingBody(make())
    expect(body.replayable).toBe(replayable)
    body.discard()
  })
})
