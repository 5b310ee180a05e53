/** Which node is next. */
import { describe, expect, it } from 'vitest'
import { Nodes } from './nodes.js'

const url = (address: string): string => `ws://${address}/api/v1/stream`

/** Nodes of a client that draws these lots, one for each node, in the order in which it hears of them. */
function nodes(configured: readonly string[], lots: readonly number[] = [], learnNodes = true): Nodes {
  const left = [...lots]
  return new Nodes({ urls: configured.map(url), learnNodes, random: () => left.shift() ?? 0.5 })
}

/** The next nodes if each attempt fails. */
function order(known: Nodes, count: number): string[] {
  return Array.from({ length: count }, () => {
    const next = known.next(false)
    known.failed(next)
    return next.slice(5, -14)
  })
}

/** With node `a:1` of a cluster of three, which was reached at the address given. */
function joined(configured: readonly string[], at: string, lots?: readonly number[]): Nodes {
  const known = nodes(configured, lots)
  known.settled(url(at))
  known.learn(url(at), ['a:1', 'b:1', 'c:1'], false)
  return known
}

describe('nodes', () => {
  it('goes round the configured ones, each client in an order of its own', () => {
    expect(order(nodes(['a:1', 'b:1', 'c:1'], [0.2, 0.1, 0.3]), 6)).toEqual([
      'b:1',
      'a:1',
      'c:1',
      'b:1',
      'a:1',
      'c:1',
    ])
    const first = new Map<string, number>()
    let seed = 1
    const chance = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
    for (let client = 0; client < 300; client++) {
      const [next = ''] = order(nodes(['a:1', 'b:1', 'c:1'], [chance(), chance(), chance()]), 1)
      first.set(next, (first.get(next) ?? 0) + 1)
    }
    expect(Math.min(...first.values())).toBeGreaterThan(70)
  })

  it('goes to a learnt node first when its own is gone, to the configured ones then, and back last', () => {
    const known = joined(['n1:1', 'n2:1'], 'n1:1', [0, 0, 0, 0.2, 0.1])
    expect(known.learnt).toEqual(['a:1', 'b:1', 'c:1'])
    expect(known.round).toBe(5)
    known.welcomed(url('b:1'))
    expect(order(known, 5)).toEqual(['c:1', 'b:1', 'n2:1', 'a:1', 'n1:1'])
  })

  it('loses one attempt where no learnt node can be reached', () => {
    const known = joined(['gate:1'], 'gate:1', [0, 0.3, 0.1, 0.2])
    expect(order(known, 1)).toEqual(['b:1'])
    // From now on what worked comes first, and one of the doubtful is tried where that fails.
    expect(known.next(false)).toBe(url('gate:1'))
    known.settled(url('gate:1'))
    known.learn(url('gate:1'), ['c:1', 'a:1', 'b:1'], false)
    expect(order(known, 6)).toEqual(['gate:1', 'a:1', 'gate:1', 'c:1', 'gate:1', 'b:1'])
    known.settled(url('gate:1'))
    expect(known.round).toBe(2)
    // One welcome is enough to trust them all again.
    known.settled(url('b:1'))
    known.learn(url('b:1'), ['b:1', 'a:1', 'd:1'], false)
    expect(order(known, 1)).toEqual(['d:1'])
  })

  it('takes another way than the one it came by when it is to go elsewhere, and the same where no other is sound', () => {
    const known = joined(['n1:1'], 'n1:1', [0, 0, 0.1, 0.2])
    expect(known.hasOther).toBe(true)
    expect(known.next(true)).toBe(url('b:1'))
    known.failed(url('b:1'))
    expect(known.next(true)).toBe(url('n1:1'))
    const alone = nodes(['n1:1'])
    alone.settled(url('n1:1'))
    alone.learn(url('n1:1'), [], false)
    expect([alone.hasOther, alone.next(true)]).toEqual([false, url('n1:1')])
  })

  it('forgets what the cluster no longer names, unless an island says so', () => {
    const known = joined(['n1:1'], 'n1:1')
    known.learn(url('n1:1'), ['a:1', 'd:1'], true)
    expect(known.learnt).toEqual(['a:1', 'b:1', 'c:1', 'd:1'])
    known.learn(url('n1:1'), ['a:1', 'c:1'], false)
    expect(known.learnt).toEqual(['a:1', 'c:1'])
    known.learn(url('n1:1'), [], false)
    expect(known.learnt).toEqual([])
    expect(order(known, 2)).toEqual(['n1:1', 'n1:1'])
  })

  it('takes the first that an island names for no way to the island itself', () => {
    const known = nodes(['n1:1'])
    known.settled(url('n1:1'))
    known.learn(url('n1:1'), ['b:1'], true)
    expect([known.hasOther, known.next(true)]).toEqual([true, url('b:1')])
  })

  it('keeps a configured node that the cluster names for a while', () => {
    const known = joined(['a:1', 'b:1'], 'a:1')
    expect(known.round).toBe(3)
    known.learn(url('a:1'), ['a:1'], false)
    expect(order(known, 2)).toEqual(['b:1', 'a:1'])
  })

  it('takes nothing for an address that is none, and no more than 64', () => {
    const known = nodes(['n1:1'])
    const wrong = [
      '',
      'b',
      'b:0',
      'b:65536',
      'b:1/x',
      'b:1?x',
      'user@b:1',
      'http://b:1',
      'b c:1',
      '::1:7400',
      '[b]:1',
      '0.0.0.0:1',
      '224.0.0.1:1',
      '*:1',
      'b:1#',
      '[::]:1',
      'b:1 ',
    ]
    known.learn(url('n1:1'), wrong, false)
    expect(known.learnt).toEqual([])
    known.learn(url('n1:1'), ['[::1]:7400', '10.0.0.1:80', 'Node-1.example:7400'], false)
    expect([1, 2, 3].map(() => order(known, 1)[0])).toEqual(['10.0.0.1', 'n1:1', 'node-1.example:7400'])
    known.learn(
      url('n1:1'),
      Array.from({ length: 1_000 }, (_, index) => `n${index + 1}:1`),
      false,
    )
    expect(known.learnt).toHaveLength(64)
    known.learn(
      url('n1:1'),
      Array.from({ length: 64 }, (_, index) => `m${index}:1`),
      true,
    )
    expect(known.learnt).toHaveLength(64)
    const many = nodes(['n1:1'])
    many.learn(
      url('n1:1'),
      Array.from({ length: 20 }, (_, index) => `n${index + 1}:1`),
      false,
    )
    expect(many.round).toBe(8)
  })

  it('goes by the scheme of the way it came', () => {
    const known = nodes([])
    expect(known.urlOf('b:7400', 'wss://gate/some/path')).toBe('wss://b:7400/api/v1/stream')
    expect(known.urlOf('b:80', 'ws://gate/some/path')).toBe('ws://b/api/v1/stream')
  })

  it('learns nothing where it must not, but knows the configured ones by their addresses', () => {
    const known = nodes(['a:1', 'b:1'], [], false)
    known.settled(url('a:1'))
    known.learn(url('a:1'), ['a:1', 'b:1', 'c:1'], false)
    expect(order(known, 3)).toEqual(['b:1', 'a:1', 'b:1'])
    expect([known.urlOf('b:1', url('a:1')), known.urlOf('c:1', url('a:1'))]).toEqual([url('b:1'), undefined])
  })

  it('is led to no other cluster', () => {
    const known = joined(['n1:1', 'n2:1'], 'n1:1')
    expect(known.accepts(url('n1:1'), 'east')).toBe(true)
    expect(known.accepts(url('b:1'), 'west')).toBe(false)
    expect(known.accepts(url('unknown:1'), 'west')).toBe(false)
    expect(known.accepts(url('n1:1'), 'west')).toBe(false)
    expect(known.accepts(url('n2:1'), 'north')).toBe(false)
    // Back as it was, then given another name altogether.
    known.welcomed(url('n1:1'))
    expect(known.accepts(url('n2:1'), 'west')).toBe(false)
    expect(known.accepts(url('n1:1'), 'west')).toBe(true)
    expect(known.cluster).toBe('west')
    expect(known.accepts(url('n2:1'), 'east')).toBe(false)
  })

  it('says nothing to a node that it does not know before that has said which cluster it is of', () => {
    const known = nodes(['n1:1', 'n2:1'])
    expect(known.isSure(url('n1:1'))).toBe(true)
    known.accepts(url('n1:1'), 'east')
    known.settled(url('n1:1'))
    expect([known.isSure(url('n1:1')), known.isSure(url('n2:1')), known.isSure(url('x:1'))]).toEqual([
      true,
      false,
      false,
    ])
  })
})
