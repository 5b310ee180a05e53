import type { Meter, RegistryNode } from '@rollcall/core'
import { STATES } from '@rollcall/wire'

/** Sets the gauges of a node that are only computed when somebody looks. */
export function sampleNode(
  { directory, feed, liveness, overrides, guarded, doubted }: RegistryNode,
  meter: Meter,
): void {
  for (const state of STATES) meter.set('rollcall_instances', directory.states[state], state)
  meter.set('rollcall_services', directory.services)
  meter.set('rollcall_feed_bytes', feed.bytes)
  meter.set('rollcall_overrides', overrides.size)
  meter.set('rollcall_frozen_namespaces', directory.freezes.size)
  let kept = 0
  for (const service of guarded) kept += liveness.guardOf(service).kept
  meter.set('rollcall_guards_tripped', guarded.size, 'service')
  meter.set('rollcall_guards_tripped', doubted.size, 'watcher')
  meter.set('rollcall_guard_kept_instances', kept)
}
