/** The gauges of a node that are only computed when figures are asked for. */
import { ACCOUNTS, type Meter, type RegistryNode } from '@rollcall/core'
import { STATES } from '@rollcall/wire'
import { sampleBudget } from '../telemetry/budget-gauges.js'

/** Sets them. */
export function sampleNode(
  { budgets, directory, feed, liveness, overrides }: RegistryNode,
  meter: Meter,
): void {
  for (const budget of Object.values(budgets)) sampleBudget(meter, budget)
  for (const state of STATES) meter.set('rollcall_instances', directory.states[state], state)
  meter.set('rollcall_services', directory.listing.size)
  for (const account of ACCOUNTS) {
    const { records, bytes } = directory.accounts.balance(account)
    if (account !== 'listed') meter.set('rollcall_remembered_records', records, account)
    meter.set('rollcall_record_bytes', bytes, account)
  }
  meter.set('rollcall_feed_bytes', feed.bytes)
  meter.set('rollcall_overrides', overrides.size)
  meter.set('rollcall_frozen_namespaces', directory.freezes.size)
  const { services, kept, zones } = liveness.guards.doubts()
  meter.set('rollcall_guards_tripped', services, 'service')
  meter.set('rollcall_guards_tripped', zones, 'watcher')
  meter.set('rollcall_guard_kept_instances', kept)
}
