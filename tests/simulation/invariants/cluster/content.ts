/** Invariant I13 over several nodes: what any of them acknowledged is what all of them list. */
import type { Queries, RegisterCommand } from '@rollcall/core'
import { keyText } from '../../world/endpoint.js'
import { isTogether, type Scene } from '../../world/scene.js'
import type { Invariant } from '../invariant.js'

/** By then every node has heard. */
const TOLD_MS = 2_000

interface Acknowledged {
  readonly command: RegisterCommand
  readonly incarnation: number
  readonly rev: number
  readonly at: number
}

/**
 * I13: while the cluster is together every node lists an instance at the address, with the weight and the metadata of the
 * registration or update of its incarnation with the highest rev that any node acknowledged. Who names no incarnation is left
 * out: of two such registrations at two nodes either may come last.
 */
export function createClusterContent(world: Scene): Invariant {
  const acknowledged = new Map<string, Acknowledged>()
  const left = new Set(
    world.endpoints.filter(({ contested, named }) => contested || !named).map(({ key }) => keyText(key)),
  )

  const invariant: Invariant = {
    name: 'I13 content',
    executed({ kind, command, answer }) {
      if (kind !== 'register') return
      answer.forEach((result, index) => {
        const item = command.items[index]
        if (item === undefined || !result.ok || left.has(keyText(item))) return
        const key = keyText(item)
        const { incarnation } = result
        const rev = item.rev ?? 0
        const known = acknowledged.get(key)
        const older =
          known !== undefined &&
          (incarnation < known.incarnation || (incarnation === known.incarnation && rev < known.rev))
        if (!older) acknowledged.set(key, { command: item, incarnation, rev, at: world.queue.now })
      })
    },
    looked() {
      if (!isTogether(world)) return
      for (const { registry } of world.nodes) {
        const { shown } = registry
        if (shown === undefined) continue
        for (const [key, { command, incarnation, rev, at }] of acknowledged) {
          const listed = shown.instance(command)
          if (listed?.incarnation !== incarnation || world.queue.now <= at + TOLD_MS) continue
          if (revOf(registry.driver?.['node'].directory.entry(command)?.record.content) > rev) continue
          const weight = weightBy(shown, command, incarnation) ?? command.weight
          const [said, shows] = [{ ...command, weight }, listed].map((each) => contentText(each))
          if (said !== shows)
            world.violated(
              invariant,
              `${registry.process.name} lists ${key}#${incarnation} with ${shows}, and ${said} was acknowledged`,
            )
        }
      }
    },
  }
  return invariant
}

/** A later word whose answer is still under way. */
function revOf(content: { readonly rev: number } | undefined): number {
  return content?.rev ?? 0
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
