/** Which instances of one registry belong into the other one: those at home in the first alone. Pure. */
import { mirrorOf } from './mark.js'
import { addressesOf, type SideListing, type MirroredInstance, type SeenInstance } from './records.js'

export interface PlanRules {
  /** Kind of the source; it stands in the marks. */
  readonly from: string
  /** Name of this bridge. */
  readonly bridge: string
  /** Undefined: all services. In lower case. */
  readonly services?: ReadonlySet<string>
  /** Most instances that are mirrored; the others are left out. */
  readonly instancesMax: number
  /** Brings an instance into what the target can hold; undefined where it cannot. */
  fit(seen: SeenInstance): SeenInstance | undefined
}

export interface Plan {
  readonly wanted: ReadonlyMap<string, MirroredInstance>
  /** Mirrors of all that the source lists as alive, wanted or not: what is not here is absent. */
  readonly present: ReadonlySet<string>
  /** Of its own that the source lists. */
  readonly listed: number
  /** At home in the target as well. */
  readonly atHome: number
  /** What the target cannot hold, or would be too many. */
  readonly leftOut: number
}

/** What of the source is to be in the target. */
export function planOf(source: SideListing, target: SideListing, rules: PlanRules): Plan {
  const homes = addressesIn(target.instances, rules)
  const present = new Set<string>()
  const fitting: MirroredInstance[] = []
  let [listed, atHome, leftOut] = [0, 0, source.unreadable]
  for (const seen of source.instances) {
    if (seen.mark !== undefined || !isChosen(seen, rules)) continue
    listed++
    // What the source itself takes for dead is as good as absent.
    if (seen.standing === 'lost') continue
    present.add(mirrorOf(seen, rules.from, rules.bridge).id)
    if (addressesOf(seen).some((address) => homes.has(address))) {
      atHome++
      continue
    }
    const fit = rules.fit(seen)
    if (fit === undefined) {
      leftOut++
      continue
    }
    const mirror = mirrorOf(fit, rules.from, rules.bridge)
    fitting.push(mirror)
    present.add(mirror.id)
  }
  // The same ones in each round, in whichever order they are listed.
  if (fitting.length > rules.instancesMax) fitting.sort((a, b) => (a.id < b.id ? -1 : 1))
  const wanted = new Map(fitting.slice(0, rules.instancesMax).map((mirror) => [mirror.id, mirror]))
  leftOut += fitting.length - wanted.size
  return { wanted, present, listed, atHome, leftOut }
}

function isChosen({ service }: SeenInstance, { services }: PlanRules): boolean {
  return services?.has(service.toLowerCase()) ?? true
}

/** Where this bridge has nothing to add: at home, or mirrored by a bridge that comes first by name. */
function addressesIn(instances: readonly SeenInstance[], { bridge }: PlanRules): Set<string> {
  const addresses = new Set<string>()
  for (const seen of instances) {
    const { mark, standing } = seen
    const isThere =
      mark === undefined
        ? standing !== 'lost'
        : standing === 'up' && mark.bridge !== '' && mark.bridge < bridge
    if (isThere) for (const address of addressesOf(seen)) addresses.add(address)
  }
  return addresses
}
