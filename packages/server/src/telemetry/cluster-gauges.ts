/** The gauges of a cluster, as the node sees it that is asked for them. A node by itself is a cluster of one. */
import type { Meter } from '@rollcall/core'
import type { ClusterResponse } from '@rollcall/wire'

/** Sets them. */
export function sampleCluster(meter: Meter, { nodes, engine, divergence }: ClusterResponse): void {
  const [own] = nodes
  meter.set('rollcall_cluster_nodes', nodes.filter(({ state }) => state !== 'gone').length)
  meter.set('rollcall_island', engine.state === 'lost' ? 1 : 0)
  meter.set('rollcall_engine_alarms', engine.alarms?.length ?? 0)
  meter.set('rollcall_judged_instances', own?.judges ?? 0)
  meter.set('rollcall_unpublished_records', own?.unpublished ?? 0)
  meter.set('rollcall_publish_lag_seconds', (own?.lagMs ?? 0) / 1_000)
  meter.set('rollcall_divergence_keys', divergence)
}
