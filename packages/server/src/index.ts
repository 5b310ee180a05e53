/** A registry node: configuration, wiring, listeners, lifecycle. */
export { composeNode, type ComposedNode } from './compose.js'
export {
  type Config,
  ConfigError,
  type ConfigOrigin,
  type ConfigProblem,
  type LoadedConfig,
  loadConfig,
  type SettingValue,
} from './config/config.js'
export { renderConfigReference } from './config/reference.js'
export { type Setting, SETTINGS } from './config/schema.js'
export { writeValue } from './config/values.js'
export { type ClusterClients, createMember, type Member } from './cluster/member.js'
export { createNodeDriver, type NodeDriver, type NodeDriverDeps } from './driver/node-driver.js'
export type { ProbePort } from './driver/probes.js'
export {
  type EmbeddedNode,
  type RunningServer,
  type ServerSources,
  startNode,
  startServer,
} from './server.js'
export { SOFTWARE_VERSION } from './version.js'
