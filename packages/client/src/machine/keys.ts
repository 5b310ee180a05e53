/** What lists and instances are known by. */
import type { Instance, ViewName } from '@rollcall/wire'

/** Key of a view: which list is meant. */
export function viewKey(name: ViewName): string {
  return name.group === undefined
    ? `${name.namespace}\n${name.service}`
    : `${name.namespace}\n${name.service}\n${name.group}`
}

/** Identity of an instance within a view. */
export function instanceKey(item: { readonly group: string; readonly id: string }): string {
  return `${item.group}\n${item.id}`
}

/** Identity of an instance across all views. */
export function nameOf(spec: {
  readonly namespace: string
  readonly service: string
  readonly group: string
  readonly id: string
}): string {
  return `${spec.namespace}\n${spec.service}\n${spec.group}\n${spec.id}`
}

/** Whether both are the same process at the same address. */
export function samePeer(a: Instance | undefined, b: Instance): boolean {
  return a !== undefined && a.incarnation === b.incarnation && a.host === b.host && a.port === b.port
}
