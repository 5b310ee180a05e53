/** One of two clusters is away for a minute while a provider starts. */
import type { Case } from '../case.js'

/** The cluster that is left is enough: the provider is found there, at once, by consumers of both. */
export const oneClusterDown: Case = {
  clusters: 2,
  programs: { first: { speech: 'sdk' }, second: { speech: 'sdk', startAt: 20_000 }, consumer: {} },
  faults: [{ at: 15_000, kind: 'crash', downMs: 60_000 }],
  healAt: 80_000,
  mutation: 'first-cluster-only',
  finds: 'I1',
}
