/** Lists that their node calls stale. */
import { describe, expect, it } from 'vitest'
import { delta, instance, Stage, view } from '../clusters/stage.fixture.js'
import type { ListChange } from '../machine/events.js'

const WATCH = { type: 'watch', names: [{ namespace: 'default', service: 'orders' }] } as const
const A = instance('a')
const B = instance('b')

const shown = (stage: Stage): ListChange | undefined => stage.all('list').at(-1)?.change

describe('a node that has just begun with nothing', () => {
  it('is no longer called stale once it says so, although its list is the same; that alone is no change', () => {
    const stage = Stage.over()
    stage.do({ type: 'start' }, WATCH)
    const [east, west] = stage.all('dial').map(({ connection }) => stage.welcome({}, connection))
    stage.receive(view([A], { stale: true }), east)
    stage.receive(view([]), west)
    expect(shown(stage)).toMatchObject({ stale: true })
    const before = stage.all('list').length
    stage.receive(view([A], { stale: false }), east)
    expect(stage.all('list')).toHaveLength(before)
    stage.receive(delta([A], [A, B]), east)
    expect(shown(stage)).toMatchObject({ upserts: [B], stale: false })
  })

  it('tells a client of one cluster nothing when it is over', () => {
    const stage = new Stage()
    stage.do({ type: 'start' }, WATCH)
    stage.welcome()
    stage.receive(view([A], { stale: true }))
    expect(shown(stage)).toMatchObject({ stale: true })
    const before = stage.all('list').length
    stage.receive(view([A], { stale: false }))
    expect(stage.all('list')).toHaveLength(before)
  })
})
