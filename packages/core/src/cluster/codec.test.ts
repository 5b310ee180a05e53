/** What the engine says is believed only where nothing that follows from it can fail. */
import { describe, expect, it } from 'vitest'
import { decodeRecord, encodeRecord } from './codec.js'
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
  ])('is none where the prober or the judge could do nothing with it: %j', (change) => {
    expect(decoded(change)).toBeUndefined()
  })

  it('is none under names that no client may use', () => {
    const key = { ...KEY, id: 'a b' }
    expect(decodeRecord(key, JSON.stringify({ ...record, id: 'a b' }))).toBeUndefined()
    expect(decodeRecord({ ...KEY, group: '..' }, JSON.stringify({ ...record, group: '..' }))).toBeUndefined()
  })
})
