/** Invariant I6 over several nodes: one truth in all memories and in the engine. */
import { encode, type StoredRecord } from '@rollcall/core'
import { keyText } from '../../world/endpoint.js'
import type { Scene } from '../../world/scene.js'
import type { Invariant } from '../invariant.js'

/**
 * I6: when all is well every node has the same records with the same versions, hidden ones included where both have them; the
 * engine holds exactly what is listed, and every word of an operator; nothing waits to be published; and each node knows all
 * others.
 */
export function createClusterAgreement(nodes: readonly Scene[]): Invariant {
  const world: Scene = nodes[0]!

  function compare(what: string, texts: ReadonlyMap<string, string | undefined>): void {
    const [first, ...others] = texts
    const other = others.find(([, text]) => text !== first?.[1])
    if (other !== undefined && first !== undefined)
      world.violated(
        invariant,
        `${what}: ${first[0]} has ${first[1] ?? 'nothing'}, ${other[0]} ${other[1] ?? 'nothing'}`,
      )
  }

  const invariant: Invariant = {
    name: 'I6 agreement',
    healed() {
      const all = nodes.map((node) => ({ node, name: node.registry.process.name, held: heldBy(node) }))
      const keys = new Set(all.flatMap(({ held }) => [...held.keys()]))
      for (const key of keys) {
        const found = all.filter(({ held }) => held.get(key) !== undefined)
        const matters = found.some(({ held }) => held.get(key)?.matters === true)
        const texts = new Map<string, string | undefined>(
          (matters ? all : found).map(({ name, held }) => [name, held.get(key)?.text]),
        )
        const stored = world.engine?.record(key)
        if (matters || isListed(stored)) texts.set('the engine', textOf(stored))
        compare(key, texts)
      }
      const declared = new Map<string, string | undefined>(
        all.map(({ node, name }) => [name, declarationsOf(node)]),
      )
      compare('declarations', declared.set('the engine', world.engine?.declarations().toSorted().join(' ')))
      for (const { node, name } of all) {
        const { member } = node.registry
        if (member === undefined) world.violated(invariant, `${name} does not run`)
        const told = member.cluster()
        const unpublished = told.nodes[0]?.unpublished ?? 0
        if (unpublished > 0)
          world.violated(invariant, `${unpublished} changes of ${name} are not in the engine`)
        const ready = told.nodes.filter(({ state }) => state === 'ready').length
        if (ready !== nodes.length)
          world.violated(invariant, `${name} knows of ${ready} nodes that are ready`)
      }
    },
  }
  return invariant
}

interface Held {
  readonly text: string
  /** It is listed, or an operator wants something of whatever comes next. */
  readonly matters: boolean
}

function heldBy({ registry }: Scene): Map<string, Held> {
  const held = new Map<string, Held>()
  const { driver } = registry
  if (driver === undefined) return held
  for (const { record, state } of driver['node'].directory.entries()) {
    const { override } = record
    const matters = state !== null || (override?.value !== undefined && override.value !== null)
    held.set(keyText(record), { text: encode(record), matters })
  }
  return held
}

/** Whether a node that knew nothing would list it. */
function isListed(record: StoredRecord | undefined): boolean {
  return record !== undefined && record.content.intent !== 'gone' && record.verdict.value !== 'expired'
}

function textOf(record: StoredRecord | undefined): string | undefined {
  return record && encode(record)
}

function declarationsOf({ registry }: Scene): string {
  const { directory } = registry.driver!['node']
  return [...directory.declarations()]
    .filter(({ register }) => register.value !== null)
    .map((each) => encode(each))
    .sort()
    .join(' ')
}
