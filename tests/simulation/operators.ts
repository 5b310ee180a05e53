/** Operators that write, all over a day: what they want of instances, services and namespaces, and take back. */
import type { Fault, Happening } from './faults/fault.js'
import type { ProgramPlan } from './scenario.js'
import type { StoryScene } from './stories.js'
import type { Chance } from './world/random.js'

type Act = Happening['kind']

/** What they do; one that is here twice is done twice as often. The node goes through its troubles between. */
const ACTS: readonly Act[] = [
  ...(['override', 'override', 'override', 'override', 'clear', 'clear', 'clear'] as const),
  ...(['freeze', 'unfreeze', 'unfreeze', 'declare', 'declare', 'declareNamespace'] as const),
  ...(['restore', 'restore', 'evict', 'kill', 'crash', 'crash', 'stop', 'clock'] as const),
]

const HOUR_MS = 3_600_000

/** An operator's day. */
export function operatorsOf({ chance, programs, from, to }: StoryScene): Fault[] {
  const offering = programs.filter(({ endpoints }) => endpoints.length > 0)
  // Few, so that one is written over and over.
  const chosen = chance.some(offering, 3)
  const faults = Array.from({ length: chance.whole(6, 24) }, () => {
    const happening = happeningOf(chance.pick(ACTS), chance.pick(chosen), chance)
    return { at: chance.between(from, to), ...happening }
  })
  return chance.happens(0.5) ? faults : [...faults, ...takenBack(chosen, to)]
}

/** Everything is taken back in the end. */
function takenBack(chosen: readonly ProgramPlan[], to: number): Fault[] {
  const at = to - 1
  const clears = chosen.flatMap(({ name, endpoints }) =>
    endpoints.map((_, index) => ({ at, kind: 'clear', program: name, index }) as const),
  )
  return [...clears, ...['default', '*'].map((namespace) => ({ at, kind: 'unfreeze', namespace }) as const)]
}

function happeningOf(kind: Act, { name: program, host, endpoints }: ProgramPlan, chance: Chance): Happening {
  const index = chance.whole(0, endpoints.length - 1)
  const { service } = endpoints[index]!
  const namespace = chance.pick(['default', 'default', '*'])
  switch (kind) {
    case 'override':
      return { kind, program, index, ...wishesOf(chance) }
    case 'clear':
      return { kind, program, index }
    case 'freeze':
    case 'unfreeze':
      return { kind, namespace }
    case 'declare':
      return { kind, service, ...(chance.happens(0.7) ? { removalMs: chance.whole(2_000, 40_000) } : {}) }
    case 'declareNamespace':
      return { kind, ...(chance.happens(0.6) ? { allow: '10.0.0.0/8' } : {}) }
    case 'restore':
      return { kind, service }
    case 'evict':
      return { kind, host }
    case 'clock':
      return { kind, target: 'registry', byMs: chance.pick([-24, -1, 1, 24]) * HOUR_MS }
    case 'kill':
      return { kind, program, ...(chance.happens(0.6) ? { downMs: chance.between(50, 20_000) } : {}) }
    case 'stop':
      return { kind, downMs: chance.between(50, 5_000) }
    default:
      return { kind: 'crash', downMs: chance.between(50, 5_000) }
  }
}

function wishesOf(
  chance: Chance,
): Pick<Extract<Happening, { readonly kind: 'override' }>, 'drain' | 'disable' | 'weight'> {
  const wish = chance.pick(['drain', 'drain', 'disable', 'weight', 'weight', 'both'] as const)
  return {
    ...(wish === 'drain' || wish === 'both' ? { drain: true } : {}),
    ...(wish === 'disable' ? { disable: true } : {}),
    ...(wish === 'weight' || wish === 'both' ? { weight: chance.whole(1, 500) } : {}),
  }
}
