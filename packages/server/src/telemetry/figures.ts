/** The figures of a node: what does not change while it runs, and what is only computed when they are asked for. */
import type { Clock } from '@rollcall/core'
import type { ClusterResponse } from '@rollcall/wire'
import { sampleCluster } from './cluster-gauges.js'
import type { Config } from '../config/types.js'
import type { NodeDriver } from '../driver/node-driver.js'
import { sampleHttpBudgets } from '../http-budgets.js'
import { SOFTWARE_VERSION } from '../version.js'
import type { MetricsRegistry } from './metrics-registry.js'
import { createProcessMetrics, type ProcessMetrics } from './process-metrics.js'

/** Says what does not change while the node runs, and begins to measure the process. */
export function beginFigures(
  { clock, metrics }: { readonly clock: Clock; readonly metrics: MetricsRegistry },
  { cluster, memory }: Config,
  nodeId: string,
): ProcessMetrics {
  metrics.inform('rollcall_build_info', {
    version: SOFTWARE_VERSION,
    node_version: process.versions.node,
    platform: process.platform,
    arch: process.arch,
  })
  metrics.inform('rollcall_node_info', { node: nodeId, cluster, storage: memory ? 'memory' : 'disk' })
  return createProcessMetrics({ clock, meter: metrics })
}

export interface FiguresDeps {
  readonly metrics: MetricsRegistry
  readonly driver: NodeDriver
  readonly budgets: Parameters<typeof sampleHttpBudgets>[1]
  readonly figures: ProcessMetrics
}

/** All figures in Prometheus' text format. */
export function renderFigures(
  { metrics, driver, budgets, figures }: FiguresDeps,
  cluster: ClusterResponse,
): string {
  driver.sample()
  metrics.set('rollcall_ready', driver.readiness().ready ? 1 : 0)
  sampleCluster(metrics, cluster)
  sampleHttpBudgets(metrics, budgets)
  figures.sample()
  return metrics.render()
}
