/** The instances that share work. */
import type { Instance } from '@rollcall/wire'
import { instanceKey } from '../machine/keys.js'
import type { Registration } from '../api.js'

/**
 * The instances among which work is shared: `up` and `suspect`, in the order of group and id. A suspect stays until it is
 * `down`, so that a blip moves no work; one that drains, starts or is disabled takes none. What this client thinks by
 * itself (ejections, kept ones) does not count: clients with the same list agree.
 */
export function membersOf(list: readonly Instance[]): readonly Instance[] {
  return list
    .filter(({ state }) => state === 'up' || state === 'suspect')
    .map((instance) => ({ key: instanceKey(instance), instance }))
    .sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)))
    .map(({ instance }) => instance)
}

/** What identifies a registration of this process, and whether it stands. */
export type OwnRegistration = Pick<
  Registration,
  'namespace' | 'service' | 'group' | 'id' | 'host' | 'port' | 'state'
>

/**
 * The members that are registrations of this process. By address rather than incarnation, which changes for a moment
 * when a registration has to be made anew; one that lost its id to another process, or is leaving, does not count.
 */
export function ownMembers(
  members: readonly Instance[],
  registrations: Iterable<OwnRegistration>,
): ReadonlySet<Instance> {
  const own = new Set<string>()
  for (const registration of registrations)
    if (registration.state === 'up' || registration.state === 'pending') own.add(addressKey(registration))
  return new Set(members.filter((member) => own.has(addressKey(member))))
}

function addressKey({ namespace, service, group, id, host, port }: Omit<OwnRegistration, 'state'>): string {
  return [namespace, service, group, id, host, port].join('\n')
}
