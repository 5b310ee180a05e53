/** What the engine says is believed only where nothing that follows from it can fail. */
import { describe, expect, it } from 'vitest'
import { decodeNode, decodeRecord, encodeNode, encodeRecord } from './codec.js'
import { JoinedNode, Store } from './store.fixture.js'

const KEY = { namespace: 'default', service: 'orders', group: 'default', id: 'a' }

describe('a record of the engine', () => {
  const node = new JoinedNode(new Store(), 'node-a')
  node.sim.register({ id: 'a', probe: { type: 'http', path: '/health' } })
  const record = node.sim.record('a')!
  const decoded = (change: object): unknown =>
    decodeRecord(KEY, JSON.stringify({ ...record, content: { ...record.content, ...change } }))

  it('is what a node wrote', () => {
    expect(decodeRecord(KEY, encodeRecord(record))).toEqual(record)
    expect(decoded({ port: 65_535, probe: { type: 'tcp', port: 1 } })).toBeDefined()
  })

  it.each([
    { port: 65_536 },
    { port: 0.5 },
    { weight: -1 },
    { leaseMs: 0 },
    { probe: { type: 'smoke signals' } },
    { probe: { type: 'tcp', port: 1e9 } },
    { probe: { type: 'http', path: 7 } },
    { probe: { type: 'http', path: '/a b' } },
    { probe: { type: 'http', status: 200 } },
    { probe: { type: 'grpc', tls: { serverName: 1 } } },
    { probe: { type: 'http', headers: { 'a b': 'x' } } },
    { probe: { type: 'http', headers: { a: 'x\r\ny: z' } } },
    { probe: { type: 'http', headers: { a: 1 } } },
    { probe: { type: 'http', status: 'soon' } },
    { host: 'a b' },
    { zone: 'x'.repeat(200) },
    { metadata: { a: 'x'.repeat(140_000) } },
  ])('is none where the prober or the judge could do nothing with it: %j', (change) => {
    expect(decoded(change)).toBeUndefined()
  })

  it('is none under names that no client may use', () => {
    const key = { ...KEY, id: 'a b' }
    expect(decodeRecord(key, JSON.stringify({ ...record, id: 'a b' }))).toBeUndefined()
    expect(decodeRecord({ ...KEY, group: '..' }, JSON.stringify({ ...record, group: '..' }))).toBeUndefined()
  })
})

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
