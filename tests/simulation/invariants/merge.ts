/** Lists of several clusters. */
import { signOf, type Instance, type View } from '@rollcall/wire'
import { keyText } from '../world/endpoint.js'
import type { SeenList } from '../programs/sdk-program.js'
import { isCalm, type Scene } from '../world/scene.js'
import type { Invariant } from './invariant.js'
import { BEHIND_MS } from './mirror.js'

/**
 * I5 with several clusters: a list that came from registries adds up, and has of each instance exactly what one of them
 * showed; and while all registries are undisturbed, an undisturbed consumer that asks all has whatever any of them lists.
 */
export function createMerge(scenes: readonly Scene[]): Invariant {
  const first = scenes[0]!
  const { scenario, queue } = first

  function isWrong(seen: SeenList, now: number): string | undefined {
    const pages = scenes.map(({ book }) => book.current(seen.name))
    if (pages.some(({ changedAt }) => now <= changedAt + BEHIND_MS)) return undefined
    const views = pages.map(({ view }) => view).filter((view): view is View => view !== undefined)
    const listed = new Set(views.flatMap(({ instances }) => instances.map(keyText)))
    const shown = new Set(seen.list.map(keyText))
    const missing = [...listed].find((key) => !shown.has(key))
    if (missing !== undefined) return `does not have ${missing}`
    const extra = [...shown].find((key) => !listed.has(key))
    return extra === undefined ? undefined : `still has ${extra}`
  }

  const invariant: Invariant = {
    name: 'I5 mirror',
    listed(program, name, { source, sign, instances }) {
      if (source !== 'registry') return
      const sum = signOf(instances)
      if (sum !== sign)
        first.violated(invariant, `${program.name} shows ${name.service} as ${sign}, the sum is ${sum}`)
      const invented = instances.find((each: Instance) => !scenes.some(({ book }) => book.showed(name, each)))
      if (invented !== undefined)
        first.violated(invariant, `${program.name} shows ${keyText(invented)} as no registry did`)
    },
    looked() {
      if (scenario.merge !== 'union' || !scenes.every(isCalm)) return
      for (const consumer of first.consumers) {
        if (!consumer.owed(queue.now)) continue
        for (const seen of consumer.lists.values()) {
          const wrong = isWrong(seen, queue.now)
          if (wrong !== undefined)
            first.violated(invariant, `${consumer.name} ${wrong} in ${seen.name.service}`)
        }
      }
    },
  }
  return invariant
}
