/** The status of a node that is well. */
import type { NodeStatus } from '@rollcall/wire'

export const STATUS: NodeStatus = {
  node: 'edge.5f3a',
  version: '0.1.0',
  cluster: 'rollcall',
  address: '10.0.0.1:7400',
  startedAt: '2026-01-01T00:00:00.000Z',
  uptimeMs: 90_000_000,
  readiness: { ready: true },
  registry: {
    namespaces: 3,
    services: 120,
    instances: { up: 1_021, starting: 0, draining: 24, suspect: 0, down: 0, disabled: 0 },
    stale: false,
  },
  clients: { sessions: 310, eventStreams: 0, longPolls: 1, watches: 4_100 },
  guards: { services: 0, kept: 0, zones: 0 },
  freezes: { total: 0, oldest: [] },
  overrides: { total: 0, drain: 0, disable: 0, weight: 0 },
  journal: { durability: 'disk', failing: false, bytes: 19_300_000, queuedEntries: 0, lastCommitMs: 3_400 },
  memory: {
    residentBytes: 305_000_000,
    heapBytes: 126_000_000,
    heapBytesMax: 1_288_490_188,
    budgets: [
      { quota: 'instancesMax', used: 1_045, max: 1_000_000 },
      { quota: 'watchBytesMax', used: 43, max: 99 },
    ],
  },
}
