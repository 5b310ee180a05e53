/** Hints about failed calls. */
import type { Instance } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { instance, Stage, view } from '../clusters/stage.fixture.js'

const KEY = 'default\norders'
const A = instance('a')
const B = instance('b')
const C = instance('c')
const STATIC = instance('s', { port: 9 })

function connected(options: ConstructorParameters<typeof Stage>[0] = {}): Stage {
  const stage = new Stage(options)
  stage.do({ type: 'start' }, { type: 'watch', names: [{ namespace: 'default', service: 'orders' }] })
  stage.welcome()
  return stage
}

describe('hints', () => {
  const failed = (item: Instance, kind?: 'timeout' | 'failure') =>
    ({ type: 'failed', key: KEY, instance: item, ...(kind === undefined ? {} : { kind }) }) as const
  const named = (item: Instance) => ({
    service: 'orders',
    group: 'default',
    id: item.id,
    incarnation: item.incarnation,
  })

  it('tell the registry at once whom calls did not reach, together what fails together', () => {
    const stage = connected()
    stage.receive(view([A, B, C]))
    stage.do(failed(A), failed(A), failed(B, 'timeout'), failed(C, 'failure'))
    expect(stage.sent('hint').map((message) => message.instances)).toEqual([[named(A), named(B)]])
  })

  it('come at most once in two seconds for each instance, and once in 100 ms', () => {
    const stage = connected()
    stage.receive(view([A, B]))
    const times: number[] = []
    for (let passed = 0; passed < 10_000; passed += 10) {
      stage.do(failed(A), ...(passed === 10 ? [failed(B)] : []))
      if (stage.sent('hint').length > times.length) times.push(passed)
      if (passed % 1_000 === 0) stage.receive({ type: 'pong', island: false })
      stage.pass(10)
    }
    expect(times.slice(0, 3)).toEqual([0, 100, 2_000])
    const told = stage.sent('hint').map((message) => message.instances.map((item) => item.id))
    expect(told).toEqual([['a'], ['b'], ['a'], ['a'], ['a'], ['a']])
  })

  it('do not stand in for pings: nothing answers them, and a stream without answers would pass for dead', () => {
    const stage = connected()
    stage.receive(view([A, B]))
    for (let pings = 0, passed = 0; passed < 30_000; passed += 100) {
      stage.do(failed(A))
      stage.pass(100)
      while (pings < stage.sent('ping').length) {
        pings += 1
        stage.receive({ type: 'pong', island: false })
      }
    }
    expect(stage.sent('hint').length).toBeGreaterThan(10)
    expect(stage.all('drop')).toEqual([])
  })

  it('are not about instances that the registry does not list, as they were called', () => {
    const stage = connected({ statics: new Map([[KEY, [STATIC]]]) })
    stage.receive(view([A, B]))
    stage.receive(view([B]))
    stage.do(failed(STATIC), failed(A), failed(instance('b', { incarnation: 2 })))
    expect(stage.sent('hint')).toEqual([])
  })

  it('are of the moment: none for a registry that is away, and none later', () => {
    const stage = connected()
    stage.receive(view([A, B]))
    stage.do(failed(A), { type: 'closed', connection: stage.connection, reason: 'lost' }, failed(B))
    stage.welcome()
    stage.pass(1_000)
    expect(stage.sent('hint')).toEqual([])
  })

  it('are bounded', () => {
    const stage = connected()
    const list = Array.from({ length: 150 }, (_, n) => instance(`i${n}`))
    stage.receive(view(list))
    stage.do(...list.map((item) => failed(item)))
    expect(stage.sent('hint').map((message) => message.instances.length)).toEqual([100])
  })
})
