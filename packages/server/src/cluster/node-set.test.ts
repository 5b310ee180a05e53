/** Which nodes are shown to people. */
import type { PeerNode, PeerReport } from '@rollcall/core'
import { describe, expect, it } from 'vitest'
import { NodeSet } from './node-set.js'

const peer = (name: string, boot: number, port = 7_400): PeerNode => ({
  node: `${name}.${boot}`,
  name,
  address: `${name}:${port}`,
  version: '0.1.0',
})
const REPORT: PeerReport = {
  ...{ island: false, stopping: false, judges: 0, sessions: 0 },
  ...{ unpublished: 0, lagMs: 0, divergence: 0 },
}

describe('the nodes of a cluster', () => {
  let now = 0
  const setUp = (): { readonly nodes: NodeSet; readonly shown: () => readonly string[] } => {
    const nodes = new NodeSet({ now: () => now }, peer('a', 1))
    nodes.replace([peer('a', 1), peer('b', 1), peer('c', 1)])
    return { nodes, shown: () => nodes.describe(REPORT).map(({ node, state }) => `${node} ${state}`) }
  }

  it('that left are told of for ten minutes', () => {
    const { nodes, shown } = setUp()
    nodes.remove('b.1')
    expect(shown()).toEqual(['a.1 ready', 'b.1 gone', 'c.1 ready'])
    now += 600_001
    expect(shown()).toEqual(['a.1 ready', 'c.1 ready'])
  })

  it('that are back under their name, or at their address, are not missing', () => {
    const { nodes, shown } = setUp()
    nodes.remove('b.1')
    nodes.add(peer('b', 2, 7_401))
    nodes.remove('c.1')
    nodes.add({ ...peer('d', 1), address: 'c:7400' })
    expect(shown()).toEqual(['a.1 ready', 'b.2 ready', 'd.1 ready'])
  })

  it('that left several times are one, as it left last', () => {
    const { nodes, shown } = setUp()
    nodes.remove('b.1')
    nodes.add(peer('b', 2))
    nodes.remove('b.2')
    expect(shown()).toEqual(['a.1 ready', 'b.2 gone', 'c.1 ready'])
  })

  it('that lost their key and are linked still are islands, not gone', () => {
    const { nodes, shown } = setUp()
    nodes.remove('b.1')
    nodes.tell('b.1', { ...REPORT, island: true })
    expect(shown()).toEqual(['a.1 ready', 'b.1 island', 'c.1 ready'])
  })
})

describe('a link', () => {
  const nodes = new NodeSet({ now: () => 0 }, peer('a', 1))
  const wanted = (): readonly string[] => nodes.linkable([]).map(({ node }) => node)

  it('is sought for a while with a node whose key ended: it may be an island', () => {
    nodes.replace([peer('a', 1), peer('b', 1), peer('c', 1)])
    nodes.remove('b.1')
    expect(wanted()).toEqual(['c.1', 'b.1'])
  })

  it('is not sought with one whose next boot is there', () => {
    nodes.add(peer('b', 2))
    expect(wanted()).toEqual(['c.1', 'b.2'])
  })

  it('is not sought with one that said that it stops', () => {
    nodes.tell('c.1', { ...REPORT, stopping: true })
    nodes.remove('c.1')
    expect(wanted()).toEqual(['b.2'])
  })
})
