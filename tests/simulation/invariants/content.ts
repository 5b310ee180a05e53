/** Invariant I13: what was acknowledged is what is listed. */
import type { Command, Queries, RegisterCommand } from '@rollcall/core'
import { keyText } from '../world/endpoint.js'
import type { Invariant } from './invariant.js'
import type { Scene } from '../world/scene.js'
import { UnderWay } from './under-way.js'

/** What a provider said last of what was acknowledged. */
interface Acknowledged {
  readonly command: RegisterCommand
  readonly incarnation: number
  readonly rev: number
  readonly durable: boolean
}

/**
 * I13: an instance is listed at the address, with the weight and the metadata of the last registration or update of its
 * incarnation that was acknowledged, from then on; where an operator gave this incarnation a weight, with that one.
 * Nothing is demanded while another one is under way.
 */
export function createContent(world: Scene): Invariant {
  const acknowledged = new Map<string, Acknowledged>()
  // Two processes may have begun in the same millisecond.
  const contested = new Set(world.endpoints.filter((each) => each.contested).map(({ key }) => keyText(key)))
  const underWay = new UnderWay()

  function acknowledge(next: Acknowledged): void {
    const key = keyText(next.command)
    const known = acknowledged.get(key)
    const older =
      known !== undefined &&
      (next.incarnation < known.incarnation ||
        (next.incarnation === known.incarnation && next.rev < known.rev))
    if (!older) acknowledged.set(key, next)
  }

  const invariant: Invariant = {
    name: 'I13 content',
    executing: (command) => underWay.begin(command, namesOf(command)),
    executed({ kind, command, answer, durability }) {
      if (kind !== 'register') return
      answer.forEach((result, index) => {
        const item = command.items[index]
        if (item === undefined || !result.ok || contested.has(keyText(item))) return
        if (!underWay.has(keyText(item), command)) return
        // Without a rev the last one wins.
        const rev = item.rev ?? 0
        acknowledge({ command: item, incarnation: result.incarnation, rev, durable: durability === 'disk' })
      })
    },
    over: (command) => underWay.end(command, namesOf(command)),
    ended() {
      for (const key of underWay.drop()) acknowledged.delete(key)
      for (const [key, { durable }] of acknowledged) if (!durable) acknowledged.delete(key)
    },
    looked() {
      const { shown, process } = world.registry
      if (shown === undefined || process.paused) return
      for (const [key, { command, incarnation }] of acknowledged) {
        const listed = shown.instance(command)
        if (listed === undefined || listed.incarnation !== incarnation || underWay.concerns(key)) continue
        const weight = weightBy(shown, command, incarnation) ?? command.weight
        const [said, shows] = [{ ...command, weight }, listed].map((each) => contentText(each))
        if (said !== shows)
          world.violated(
            invariant,
            `${key}#${incarnation} is listed with ${shows}, and ${said} was acknowledged`,
          )
      }
    },
  }
  return invariant
}

function namesOf(command: Command): string[] {
  return command.kind === 'register' ? command.items.map(keyText) : []
}

/** The weight that an operator gave an incarnation. */
function weightBy(shown: Queries, command: RegisterCommand, incarnation: number): number | undefined {
  const { overrides } = shown.overrides({ service: command.service })
  const key = keyText(command)
  const { weight } = overrides.find((each) => keyText(each) === key) ?? {}
  return weight?.incarnation === incarnation ? weight.value : undefined
}

function contentText({
  host,
  port,
  weight,
  metadata,
}: Pick<RegisterCommand, 'host' | 'port' | 'weight' | 'metadata'>): string {
  return JSON.stringify([host, port, weight, Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))])
}
