/** The gauges of a cluster. */
import type { ClusterNode, ClusterResponse } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { sampleCluster } from './cluster-gauges.js'

function sampled(cluster: ClusterResponse): Readonly<Record<string, number>> {
  const gauges: Record<string, number> = {}
  const keep = (name: string, value: number): void => void (gauges[name] = value)
  sampleCluster({ count() {}, observe() {}, set: keep }, cluster)
  return gauges
}

const node = (state: ClusterNode['state'], more: Partial<ClusterNode> = {}): ClusterNode => ({
  ...{ node: state, address: 'a:1', version: '0.1.0', judges: 5, sessions: 0, unpublished: 0, lagMs: 0 },
  state,
  ...more,
})

describe('the gauges of a cluster', () => {
  it('are those of the node that is asked, and the nodes that are there', () => {
    const cluster: ClusterResponse = {
      cluster: 'c',
      epoch: 'e',
      nodes: [
        node('island', { unpublished: 7, lagMs: 1_500 }),
        node('ready', { unpublished: 9 }),
        node('gone'),
      ],
      engine: { kind: 'etcd', state: 'lost', endpoints: ['http://e:1'], alarms: ['NOSPACE'] },
      divergence: 3,
    }
    expect(sampled(cluster)).toEqual({
      rollcall_cluster_nodes: 2,
      rollcall_island: 1,
      rollcall_engine_alarms: 1,
      rollcall_judged_instances: 5,
      rollcall_unpublished_records: 7,
      rollcall_publish_lag_seconds: 1.5,
      rollcall_divergence_keys: 3,
    })
  })

  it('ring no bell for a node by itself', () => {
    const engine = { kind: 'none', state: 'connected', endpoints: [] } as const
    expect(sampled({ cluster: 'c', epoch: '', nodes: [node('ready')], engine, divergence: 0 })).toEqual({
      rollcall_cluster_nodes: 1,
      rollcall_island: 0,
      rollcall_engine_alarms: 0,
      rollcall_judged_instances: 5,
      rollcall_unpublished_records: 0,
      rollcall_publish_lag_seconds: 0,
      rollcall_divergence_keys: 0,
    })
  })
})
