/** What a node by itself says of its cluster. */
import { ANONYMOUS } from '@rollcall/core'
import { type ClusterResponse, defined, type ProcessFacts } from '@rollcall/wire'
import type { Config } from '../config/config.js'
import type { NodeDriver } from '../driver/node-driver.js'
import { SOFTWARE_VERSION } from '../version.js'
import { createLoneCluster } from './lone-cluster.js'

interface LoneParts {
  readonly driver: NodeDriver
  readonly facts: () => ProcessFacts
  /** Number of streams. */
  readonly sessions: () => number
}

export function createLoneStatus(
  { cluster, nodeId: name }: Config,
  node: string,
  { driver, facts, sessions }: LoneParts,
): ClusterResponse {
  const read = driver.read({ principal: ANONYMOUS })
  return createLoneCluster(
    {
      readiness: () => driver.readiness(),
      instances: () => read.status().registry.instances,
      sessions,
      address: () => facts().address,
    },
    cluster,
    { node, version: SOFTWARE_VERSION, ...defined({ name }) },
  )()
}
