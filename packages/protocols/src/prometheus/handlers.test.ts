/** Targets as they are read: in order, chosen by the query, and never more than one service at a time. */
import type { Queries } from '@rollcall/core'
import type { Instance, State, ViewName } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { targetsOf } from './handlers.js'

const ALL = { namespace: undefined, service: undefined, states: undefined }

/** A registry of so many services with two instances each, one up and one down. */
function registryOf(count: number): { read: Queries; viewed: string[] } {
  const viewed: string[] = []
  const services = Array.from({ length: count }, (_, n) => ({ namespace: 'default', service: `s${n}` }))
  const read = {
    services: () => ({ services }),
    capture: (name: ViewName) => {
      viewed.push(name.service)
      const instances = [instance(name, 'b', 'up'), instance(name, 'a', 'down')]
      return { size: instances.length, instance: (place: number) => instances[place] }
    },
  } as unknown as Queries
  return { read, viewed }
}

function instance({ namespace, service }: ViewName, id: string, state: State): Instance {
  const shown = { namespace, service, group: 'default', id, host: '10.0.0.1', port: 80, state, metadata: {} }
  return shown as unknown as Instance
}

describe('targets', () => {
  it('come in order of service, group and id', () => {
    const { read } = registryOf(2)
    const found = [...targetsOf(read, ALL, 10)].filter((target) => target !== undefined)
    expect(
      found.map(({ labels }) => `${labels['__meta_rollcall_service']} ${labels['__meta_rollcall_id']}`),
    ).toEqual(['s0 a', 's0 b', 's1 a', 's1 b'])
  })

  it('that the query leaves out are steps all the same: no step looks at more than one service', () => {
    const { read, viewed } = registryOf(100)
    const targets = targetsOf(read, { ...ALL, states: new Set(['draining'] as const) }, 10)
    let steps = 0
    for (let before = 0; ; before = viewed.length) {
      if (targets.next().done === true) break
      steps++
      expect(viewed.length - before).toBeLessThanOrEqual(1)
    }
    // Each service, each instance looked at, each left out.
    expect([viewed.length, steps]).toEqual([100, 500])
  })
})
