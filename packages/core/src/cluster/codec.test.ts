/** What counts as a node in the engine: all nodes dial it. */
import { describe, expect, it } from 'vitest'
import { decodeNode, encodeNode } from './codec.js'

describe('a node of the engine', () => {
  const NODE = { node: 'n.1', name: 'n', address: '10.0.0.1:7400', version: '0.1.0' }
  const decoded = (change: object): unknown => decodeNode('n.1', encodeNode({ ...NODE, ...change }))

  it.each(['10.0.0.1:7400', '[fe80::1]:7400', 'node-1.example:1'])(
    'is one with the address %s',
    (address) => {
      expect(decoded({ address })).toEqual({ ...NODE, address })
    },
  )

  it.each([
    '',
    'no address %%',
    '10.0.0.1',
    '10.0.0.1:0',
    '10.0.0.1:65536',
    '[10.0.0.1]:1',
    'a:1/x',
    'u@a:1',
  ])('is none with the address %j', (address) => {
    expect(decoded({ address })).toBeUndefined()
  })

  it('is none with another id or an endless version; a name that is none is left out', () => {
    expect(decodeNode('n.2', encodeNode(NODE))).toBeUndefined()
    expect(decoded({ version: 'v'.repeat(257) })).toBeUndefined()
    expect(decoded({ name: 'a\u001b[31m' })).not.toHaveProperty('name')
  })
})
