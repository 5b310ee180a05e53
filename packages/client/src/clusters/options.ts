import type { Instance } from '@rollcall/wire'
import type { ClusterTerms, MergeMode } from '../machine/events.js'
import type { ConnectOptions, RegisterOptions, ServiceOptions } from '../options.js'
import { checkName, clusterName, invalid, staticLists, streamUrls } from '../options.js'

/** Most clusters of one client: each costs a connection, and a copy of every list. */
export const CLUSTERS_MAX = 16

/** One cluster, checked. */
export interface Cluster {
  /** As people call it. */
  readonly name: string
  readonly registries: readonly string[]
  /** Stream URLs of the registries. */
  readonly urls: readonly string[]
  /** Name in snapshot files: derived from the registries, so that one name for two clusters mixes nothing. */
  readonly snapshotName: string
  readonly statics: ReadonlyMap<string, readonly Instance[]>
}

/** The clusters of a client, in order; throws `invalid_argument`. */
export function clustersOf(options: ConnectOptions, namespace: string): readonly Cluster[] {
  if (options.clusters === undefined) {
    const { registries = [], cluster, static: lists } = options
    return [clusterOf(cluster ?? 'default', { registries, cluster, static: lists }, namespace)]
  }
  for (const field of ['registries', 'cluster', 'static'] as const)
    if (options[field] !== undefined) throw invalid(`${field} belongs to each of the clusters`, field)
  const named = Object.entries(options.clusters)
  if (named.length === 0 || named.length > CLUSTERS_MAX)
    throw invalid(`there must be 1 to ${CLUSTERS_MAX} clusters`, 'clusters')
  return named.map(([name, each]) => clusterOf(checkName(name, 'clusters'), each, namespace))
}

function clusterOf(
  name: string,
  options: { readonly [K in 'registries' | 'cluster' | 'static']?: ConnectOptions[K] | undefined },
  namespace: string,
): Cluster {
  const { registries = [], cluster } = options
  return {
    name,
    registries,
    urls: streamUrls(registries),
    snapshotName: cluster === undefined ? clusterName(registries) : checkName(cluster, 'cluster'),
    statics: staticLists(options.static, namespace),
  }
}

/** Where and how to look for a service; throws `invalid_argument`. */
export function lookupOf(
  { clusters, merge }: ServiceOptions,
  known: readonly string[],
  usual: MergeMode,
): { readonly clusters: readonly string[]; readonly merge: MergeMode } {
  if (merge !== undefined && merge !== 'union' && merge !== 'preferred')
    throw invalid(`${String(merge)} is neither union nor preferred`, 'merge')
  return { clusters: clusters === undefined ? known : namesOf(clusters, known), merge: merge ?? usual }
}

/** Where to register, and on which terms; `known` are the clusters that take registrations. Throws `invalid_argument`. */
export function placesOf(
  { clusters }: RegisterOptions,
  known: readonly string[],
): ReadonlyMap<string, ClusterTerms> {
  if (clusters === undefined) return new Map(known.map((name) => [name, {}]))
  const given: Readonly<Record<string, ClusterTerms>> = isNames(clusters)
    ? Object.fromEntries(clusters.map((name) => [name, {}]))
    : clusters
  const places = new Map<string, ClusterTerms>()
  for (const name of namesOf(Object.keys(given), known)) {
    const { liveness, leaseMs, probe } = given[name] ?? {}
    places.set(name, {
      ...(liveness === undefined ? {} : { liveness }),
      ...(leaseMs === undefined ? {} : { leaseMs }),
      ...(probe === undefined ? {} : { probe }),
    })
  }
  return places
}

function namesOf(given: readonly string[], known: readonly string[]): readonly string[] {
  if (given.length === 0) throw invalid('at least one cluster has to be named', 'clusters')
  for (const name of given)
    if (!known.includes(name))
      throw invalid(`${name} is none of the clusters ${known.join(', ')}`, 'clusters')
  return [...new Set(given)]
}

function isNames(
  clusters: readonly string[] | Readonly<Record<string, ClusterTerms>>,
): clusters is readonly string[] {
  return Array.isArray(clusters)
}
