/** Invariant I19: what an operator ordered stands, and what was taken back stays taken back. */
import type { Command, Queries } from '@rollcall/core'
import type { OverrideSummary } from '@rollcall/wire'
import { keyText } from '../world/endpoint.js'
import type { Executed } from '../world/witness.js'
import type { Invariant } from './invariant.js'
import type { Scene } from '../world/scene.js'
import { UnderWay } from './under-way.js'

/** What nothing was ordered of, or what was taken back. */
export const NOTHING = ''

interface Order {
  readonly text: string
  /** It survives the node. */
  readonly durable: boolean
}

/** An order by the name of what it concerns. */
type Orders = (readonly [name: string, text: string])[]

/**
 * I19: overrides, freezes and declarations stand exactly as they were acknowledged last, and nothing stands that was not
 * ordered. Nothing is demanded while another order is under way, nor over a crash of what was not acknowledged with
 * `disk`, until it is ordered anew.
 */
export function createOrders(world: Scene): Invariant {
  const acknowledged = new Map<string, Order>()
  const unknown = new Set<string>()
  const underWay = new UnderWay()

  const invariant: Invariant = {
    name: 'I19 orders',
    executing: (command) => underWay.begin(command, namesOf(command)),
    executed(done) {
      for (const [name, text] of ordersOf(done)) {
        if (!underWay.has(name, done.command)) continue
        unknown.delete(name)
        acknowledged.set(name, { text, durable: done.durability !== 'memory' })
      }
    },
    over: (command) => underWay.end(command, namesOf(command)),
    ended() {
      const lost = [...acknowledged].filter(([, { durable }]) => !durable).map(([name]) => name)
      for (const name of [...lost, ...underWay.drop()]) unknown.add(name)
    },
    journalled(entries) {
      for (const entry of entries) {
        if (entry.kind !== 'forget') continue
        const name = `override ${keyText(entry.key)}`
        // A weight binds to its incarnation and goes with it; nothing else does.
        const { drain, disable } = JSON.parse(
          acknowledged.get(name)?.text || '{}',
        ) as Partial<OverrideSummary>
        if (drain !== true && disable !== true) acknowledged.delete(name)
      }
    },
    looked() {
      const { registry } = world
      if (registry.shown === undefined || registry.process.paused) return
      const standing = standingIn(registry.shown, world)
      for (const name of new Set([...standing.keys(), ...acknowledged.keys()])) {
        if (unknown.has(name) || underWay.concerns(name)) continue
        const ordered = acknowledged.get(name)?.text ?? NOTHING
        const stands = standing.get(name) ?? NOTHING
        if (ordered !== stands)
          world.violated(
            invariant,
            `${name}: ${ordered || 'nothing'} was ordered last, and ${stands || 'nothing'} stands`,
          )
      }
    },
  }
  return invariant
}

/** What stands at a node, by name. */
export function standingIn(read: Queries, { endpoints }: Scene): Map<string, string> {
  const standing = new Map<string, string>()
  for (const each of read.overrides({}).overrides) standing.set(`override ${keyText(each)}`, textOf(each))
  for (const { namespace } of read.freezes()) standing.set(`freeze ${namespace}`, 'frozen')
  const settings = JSON.stringify(read.namespaceSettings('default'))
  if (settings !== undefined) standing.set('namespace default', settings)
  for (const service of new Set(endpoints.map(({ key }) => key.service))) {
    const declared = JSON.stringify(read.serviceSettings('default', service))
    if (declared !== undefined) standing.set(`service default/${service}`, declared)
  }
  return standing
}

/** What a command concerns. */
export function namesOf(command: Command): string[] {
  switch (command.kind) {
    case 'override':
    case 'clearOverrides':
      return command.refs.map((ref) => `override ${keyText(ref)}`)
    case 'freeze':
    case 'unfreeze':
      return [`freeze ${command.namespace}`]
    case 'declareService':
      return [`service ${command.namespace}/${command.service}`]
    case 'declareNamespace':
      return [`namespace ${command.namespace}`]
    default:
      return []
  }
}

/** What was ordered by a command that was done. */
export function ordersOf(done: Executed): Orders {
  const names = namesOf(done.command)
  switch (done.kind) {
    case 'override':
    case 'clearOverrides':
      return done.answer.flatMap((result, index): Orders => {
        if (!result.ok) return []
        return [
          [names[index]!, done.kind === 'override' ? wantedText(done.command, result.incarnation) : NOTHING],
        ]
      })
    case 'freeze':
    case 'unfreeze':
      return [[names[0]!, done.kind === 'freeze' ? 'frozen' : NOTHING]]
    case 'declareService':
    case 'declareNamespace': {
      const { settings } = done.command
      return [[names[0]!, settings === null ? NOTHING : JSON.stringify(settings)]]
    }
    default:
      return []
  }
}

function wantedText(
  { drain, disable, weight }: Extract<Command, { kind: 'override' }>,
  incarnation: number,
): string {
  return textOf({ drain, disable, weight: weight === undefined ? undefined : { value: weight, incarnation } })
}

function textOf({
  drain,
  disable,
  weight,
}: {
  readonly [K in 'drain' | 'disable' | 'weight']?: OverrideSummary[K] | undefined
}): string {
  return JSON.stringify({ drain, disable, weight })
}
