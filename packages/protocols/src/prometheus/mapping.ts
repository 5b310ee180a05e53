/** From instances to the targets of Prometheus. Pure. */
import type { Instance } from '@rollcall/wire'

/** One target group of HTTP service discovery; here always of one target. */
export interface TargetGroup {
  readonly targets: readonly [address: string]
  readonly labels: Readonly<Record<string, string>>
}

const PREFIX = '__meta_rollcall_'

/** An instance as a target. Labels that begin with `__meta_` are gone after relabelling unless a rule keeps them. */
export function toTargetGroup(instance: Instance): TargetGroup {
  const { namespace, service, group, id, host, port, protocol, zone, state, metadata } = instance
  const fields = { namespace, service, group, id, host, port: String(port), protocol, zone, state }
  const labels: Record<string, string> = {}
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) labels[PREFIX + name] = value
  for (const [key, value] of Object.entries(metadata)) labels[labelOf(key, metadata)] = value
  return { targets: [host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`], labels }
}

/**
 * The label of a key: what a label name may not hold becomes `_`, as in the other discoveries of Prometheus. Where several
 * keys of an instance would become the same label, it belongs to the key that is spelt like it, if there is one; the
 * others are told apart by their escaped form.
 */
function labelOf(key: string, metadata: Instance['metadata']): string {
  const plain = plainOf(key)
  const rivals = Object.keys(metadata).filter((other) => plainOf(other) === plain)
  return rivals.length === 1 || key === plain
    ? `${PREFIX}metadata_${plain}`
    : `${PREFIX}escaped_metadata_${escapedOf(key)}`
}

function plainOf(key: string): string {
  return key.replaceAll(/[^A-Za-z0-9_]/g, '_')
}

/** Different for different keys: `_` is doubled, any other sign is its code between two of them. */
function escapedOf(key: string): string {
  return key
    .replaceAll('_', '__')
    .replaceAll(/[^A-Za-z0-9_]/gu, (sign) => `_${(sign.codePointAt(0) ?? 0).toString(16)}_`)
}
