/** Lists whose sign the node does not know: shown by the sums of their parts. */
import { type Instance, partOf, signOf } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { delta, instance, Stage, view } from '../clusters/stage.fixture.js'

const WATCH = { type: 'watch', names: [{ namespace: 'default', service: 'orders' }] } as const
const LIST = Array.from({ length: 10 }, (_, index) => instance(`i${index}`))
const PARTS = 16
const COMPARE = {
  type: 'watching',
  compare: [{ namespace: 'default', service: 'orders', parts: PARTS }],
} as const

/** A client that held the list at one node and is asked by the next one to compare it. */
function asked(): Stage {
  const stage = new Stage({ urls: ['ws://a/', 'ws://b/'] })
  stage.do({ type: 'start' }, WATCH)
  stage.welcome()
  stage.receive(view(LIST))
  stage.pass(2_000)
  stage.reconnect()
  stage.clear()
  stage.effects.push({ type: 'dial', cluster: 'default', connection: 1, url: '' })
  stage.do({ type: 'tick' })
  answer(stage, COMPARE, 2)
  return stage
}

function answer(stage: Stage, message: object, req: number): void {
  stage.receive({ type: 'watching', req, ...message })
}

/** The list as the node has it, told by the parts that differ. */
function replaced(after: readonly Instance[]): Parameters<Stage['receive']>[0] {
  const changed = [...LIST, ...after].filter((item) => !(LIST.includes(item) && after.includes(item)))
  const differing = [...new Set(changed.map(({ group, id }) => partOf(group, id, PARTS)))]
  const upserts = after.filter(({ group, id }) => differing.includes(partOf(group, id, PARTS)))
  return { ...delta(LIST, [...after]), upserts, removes: [], parts: { count: PARTS, differing } }
}

const source = (stage: Stage): object | undefined => stage.machine.status(stage.now).services[0]?.clusters[0]

describe('a list whose sign the node does not know', () => {
  it('is shown by parts, and takes over those that differ', () => {
    const stage = asked()
    expect(stage.sent('watch')).toHaveLength(1)
    const [item] = stage.last('watch').services
    expect(item).toMatchObject({ service: 'orders', sign: signOf(LIST) })
    expect(item?.sums).toMatch(/^[0-9a-f]{64}$/)
    expect(source(stage)).toMatchObject({ live: false })
    const after = [...LIST.slice(1), instance('new'), instance('i3', { weight: 7 })].filter(
      (each, index, all) => all.findLastIndex(({ id }) => id === each.id) === index,
    )
    stage.receive(replaced(after))
    answer(stage, {}, 3)
    expect(source(stage)).toMatchObject({ live: true, sign: signOf(after), instances: 10 })
    stage.pass(2_000)
    expect(stage.sent('resync')).toEqual([])
  })

  it('need not add up before the answer', () => {
    const stage = asked()
    const now = [...LIST.slice(0, 9), instance('i9', { weight: 3 }), instance('more')]
    stage.receive(delta([...LIST, instance('more')], now))
    expect(source(stage)).toMatchObject({ live: false })
    stage.receive(replaced(now))
    answer(stage, {}, 3)
    expect(source(stage)).toMatchObject({ live: true, sign: signOf(now) })
    stage.pass(1_000)
    expect(stage.sent('resync')).toEqual([])
  })

  it('is asked for in full when it does not add up after the answer, or is refused', () => {
    const wrong = asked()
    wrong.receive({ ...replaced(LIST.slice(1)), to: '00000000000000aa' } as Parameters<Stage['receive']>[0])
    answer(wrong, {}, 3)
    wrong.pass(1)
    expect(wrong.sent('resync')).toHaveLength(1)
    const refused = asked()
    refused.receive({ type: 'error', req: 3, error: { code: 'not_ready', message: '' } })
    refused.pass(1)
    expect(refused.sent('resync')).toHaveLength(1)
  })

  it('is current where the node answers with nothing but that the watch stands', () => {
    const stage = asked()
    answer(stage, {}, 3)
    expect(source(stage)).toMatchObject({ live: true, sign: signOf(LIST) })
  })

  it('is announced as usual when the connection ends before the answer', () => {
    const stage = asked()
    stage.clear()
    stage.reconnect()
    expect(stage.last('watch').services).toEqual([{ service: 'orders', sign: signOf(LIST) }])
  })

  it('is no concern of a list that is given back', () => {
    const stage = new Stage({ urls: ['ws://a/'] })
    stage.do({ type: 'start' }, WATCH)
    stage.welcome()
    answer(stage, { compare: [{ namespace: 'default', service: 'another', parts: 1e12 }] }, 1)
    stage.pass(100)
    expect(stage.sent('watch')).toHaveLength(1)
  })
})
