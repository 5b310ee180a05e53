/** Lists against a scripted node: resuming, comparing, acknowledging. */
import type { Instance } from '@rollcall/wire'
import { RegistryError, signOf } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ListChange } from '../machine/events.js'
import { delta, instance, Stage, view } from '../clusters/stage.fixture.js'

const WATCH = { type: 'watch', names: [{ namespace: 'default', service: 'orders' }] } as const
const UNWATCH = {
  type: 'unwatch',
  key: 'default\norders',
  error: new RegistryError('closed', ''),
} as const
const A = instance('a')
const B = instance('b')
const C = instance('c')

function watching(options: ConstructorParameters<typeof Stage>[0] = {}): Stage {
  const stage = new Stage(options)
  stage.do({ type: 'start' }, WATCH)
  return stage
}

function connected(options: ConstructorParameters<typeof Stage>[0] = {}): Stage {
  const stage = watching(options)
  stage.welcome()
  return stage
}

/** Passes time on a connection that is alive. */
function live(stage: Stage, ms: number): void {
  for (let passed = 0; passed < ms; passed += 1_000) {
    stage.receive({ type: 'pong', island: false })
    stage.pass(Math.min(1_000, ms - passed))
  }
}

const ids = (list: readonly Instance[] | undefined): string[] => (list ?? []).map((item) => item.id).sort()
const shown = (stage: Stage): ListChange | undefined => stage.all('list').at(-1)?.change
const candidates = (stage: Stage): string[] => ids(stage.all('candidates').at(-1)?.candidates)

describe('watches', () => {
  it('asks for all services of one turn in one message', () => {
    const stage = connected()
    stage.clear()
    stage.effects.push({ type: 'dial', cluster: 'default', connection: 1, url: '' })
    stage.do(
      ...Array.from({ length: 50 }, (_, n) => ({
        type: 'watch' as const,
        names: [{ namespace: 'default', service: `s${n}` }],
      })),
    )
    expect(stage.sent('watch')).toHaveLength(1)
    expect(stage.last('watch').services).toHaveLength(50)
  })

  it('gives a watch back, and the node its part in it', () => {
    const stage = connected()
    stage.receive(view([A]))
    stage.do({ type: 'ready', token: 1, key: 'default\norders', timeoutMs: 1_000 })
    stage.do(UNWATCH)
    expect(stage.sent('unwatch')).toMatchObject([{ services: [{ service: 'orders' }] }])
    expect(stage.machine.status(stage.now).services).toEqual([])
    stage.clear()
    stage.receive(delta([A], [A, B]))
    stage.reconnect()
    live(stage, 40_000)
    expect(stage.all('list')).toEqual([])
    expect(stage.sent('watch')).toEqual([])
    expect(stage.sent('signs')).toEqual([])
  })

  it('rejects the wait for a list that is given back', () => {
    const stage = connected()
    stage.do({ type: 'ready', token: 1, key: 'default\norders', timeoutMs: 1_000 }, UNWATCH)
    expect(stage.outcome(1)).toBe('closed')
    stage.pass(5_000)
    expect(stage.all('reject')).toHaveLength(1)
  })

  it('tells a node nothing of a list that it was never asked for', () => {
    const stage = watching()
    stage.do(UNWATCH)
    stage.welcome()
    expect(stage.sent('watch')).toEqual([])
    expect(stage.sent('unwatch')).toEqual([])
  })

  it('watches anew what it gave back: late answers for the former watch change nothing', () => {
    const stage = connected()
    const { req } = stage.last('watch')
    stage.do(UNWATCH, WATCH)
    const types = stage.all('send').map(({ message }) => message.type)
    expect(types.slice(-2)).toEqual(['unwatch', 'watch'])
    stage.receive({ type: 'error', req: req ?? 0, error: { code: 'not_ready', message: '' } })
    live(stage, 5_000)
    expect(stage.sent('watch')).toHaveLength(2)
    stage.receive(view([A]))
    expect(candidates(stage)).toEqual(['a'])
  })

  it('saves what was to be saved before it gives a list back', () => {
    const stage = connected({ snapshots: true })
    stage.receive(view([A]))
    stage.do(UNWATCH)
    expect(stage.all('saveSnapshot').map(({ stored }) => ids(stored.instances))).toEqual([['a']])
  })

  it('asks again, ever more slowly, when the node refuses to watch', () => {
    const stage = connected()
    const times: number[] = []
    for (let refusal = 0; refusal < 10; refusal += 1) {
      const count = stage.sent('watch').length
      stage.receive({
        type: 'error',
        req: stage.last('watch').req ?? 0,
        error: { code: 'not_ready', message: '' },
      })
      const from = stage.now
      while (stage.sent('watch').length === count) {
        stage.receive({ type: 'pong', island: false })
        stage.pass(50)
      }
      times.push(stage.now - from)
    }
    expect(times.slice(0, 3)).toEqual([100, 200, 400])
    expect(times.at(-1)).toBe(5_000)
  })

  it('mirrors views and deltas', () => {
    const stage = connected()
    stage.receive(view([A, B]))
    expect(ids(shown(stage)?.instances)).toEqual(['a', 'b'])
    stage.receive(delta([A, B], [B, C]))
    expect(shown(stage)).toMatchObject({ type: 'delta', source: 'registry', sign: signOf([B, C]) })
    expect(ids(shown(stage)?.instances)).toEqual(['b', 'c'])
    expect(shown(stage)?.removes).toEqual([{ instance: A, reason: 'deregistered' }])
    expect(stage.sent('resync')).toHaveLength(0)
  })

  it('acknowledges what it applied, several publications at once', () => {
    const stage = connected()
    stage.receive(view([A], {}))
    stage.receive({ ...delta([A], [A, B]), seq: 7 })
    stage.pass(50)
    expect(stage.sent('ack')).toEqual([{ type: 'ack', seq: 7 }])
  })

  it('acknowledges soon what a provider may wait for, and other changes once a second', () => {
    const stage = connected()
    stage.receive(view([A], {}))
    stage.pass(1_000)
    const before = stage.sent('ack').length
    stage.receive({ ...delta([A], [A, B]), seq: 7 })
    stage.pass(900)
    expect(stage.sent('ack')).toHaveLength(before)
    stage.receive({ ...delta([A, B], [A]), seq: 8 })
    stage.pass(50)
    expect(stage.sent('ack').slice(before)).toEqual([{ type: 'ack', seq: 8 }])
    stage.receive({ ...delta([A], [A, B]), seq: 9 })
    stage.pass(1_000)
    expect(stage.sent('ack').slice(before)).toHaveLength(2)
  })

  it('asks for the one list again that does not add up, once', () => {
    const stage = connected()
    stage.receive(view([A, B]))
    stage.receive({ ...delta([A], [A, C]), upserts: [C] })
    expect(stage.sent('resync')).toEqual([{ type: 'resync', services: [{ service: 'orders' }] }])
    stage.receive({ ...delta([A, C], [A]), removes: [] })
    expect(stage.sent('resync')).toHaveLength(1)
    stage.receive(view([A, C]))
    expect(ids(shown(stage)?.instances)).toEqual(['a', 'c'])
  })

  it('does not hammer a node whose lists never add up', () => {
    const stage = connected()
    for (let round = 0; round < 60; round += 1) {
      stage.receive(view([A], { sign: signOf([B]) }))
      live(stage, 1_000)
    }
    expect(stage.sent('resync').length).toBeGreaterThan(1)
    expect(stage.sent('resync').length).toBeLessThan(6)
  })

  it('resumes with its sign, and the acknowledgement alone confirms the list', () => {
    const stage = connected()
    stage.receive(view([A, B]))
    stage.reconnect()
    expect(stage.last('watch').services).toEqual([{ service: 'orders', sign: signOf([A, B]) }])
    const lists = stage.all('list').length
    stage.receive({ type: 'watching', req: stage.last('watch').req ?? 0 })
    expect(stage.all('list')).toHaveLength(lists)
    expect(stage.machine.status(stage.now).services[0]).toMatchObject({ source: 'registry', ageMs: 0 })
  })

  it('compares all signs in one message about every 30 s and repairs what stays wrong', () => {
    const stage = connected()
    stage.receive(view([A]))
    live(stage, 31_000)
    expect(stage.sent('signs')).toHaveLength(1)
    expect(stage.last('signs').services).toEqual([{ service: 'orders', sign: signOf([A]) }])
    const answer = (): void => {
      const changed = [{ namespace: 'default', service: 'orders', sign: signOf([B]) }]
      stage.receive({ type: 'signs', req: stage.last('signs').req ?? 0, changed })
    }
    answer()
    // The node sends what was missed by itself; only where it does not, the client asks.
    expect(stage.sent('resync')).toHaveLength(0)
    live(stage, 31_000)
    answer()
    expect(stage.sent('resync')).toHaveLength(1)
  })

  it('ignores what a comparison says of a sign that has changed meanwhile', () => {
    const stage = connected()
    stage.receive(view([A]))
    live(stage, 36_500)
    const { req = 0 } = stage.last('signs')
    stage.receive({ ...delta([A], [A, B]), to: signOf([C]) })
    expect(stage.sent('resync')).toHaveLength(1)
    // Nothing had changed when it was asked: that vouches for nothing that came since.
    stage.receive({ type: 'signs', req, changed: [] })
    live(stage, 20_000)
    expect(stage.sent('resync').length).toBeGreaterThan(1)
  })

  it('keeps its list when the connection is lost', () => {
    const stage = connected()
    stage.receive(view([A]))
    stage.do({ type: 'closed', connection: stage.connection, reason: 'lost' })
    stage.pass(60_000)
    expect(candidates(stage)).toEqual(['a'])
    expect(stage.machine.status(stage.now).services[0]?.ageMs).toBe(60_000)
  })

  it('ends where the node is, whatever happens on the way', () => {
    const list = fc.uniqueArray(
      fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd'), weight: fc.integer({ min: 1, max: 3 }) }),
      {
        selector: (item) => item.id,
      },
    )
    const step = fc.oneof(
      fc.record({ do: fc.constant('delta' as const), list }),
      fc.record({ do: fc.constant('lostDelta' as const), list }),
      fc.record({ do: fc.constant('wrongSign' as const), list }),
      fc.constant({ do: 'close' as const }),
      fc.constant({ do: 'wait' as const }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const stage = connected()
        let truth: Instance[] = []
        let answered = 0
        const send = (next: Instance[]): void => {
          const message = delta(truth, next)
          truth = next
          stage.receive(message)
        }
        // The node answers what was asked of it: watches with another sign, and resyncs.
        const serve = (): void => {
          const asked = stage
            .all('send')
            .filter((effect) => effect.message.type === 'watch' || effect.message.type === 'resync')
          if (asked.length > answered) stage.receive(view(truth))
          answered = asked.length
        }
        for (const item of steps) {
          const next = 'list' in item ? item.list.map(({ id, weight }) => instance(id, { weight })) : truth
          if (item.do === 'delta') send(next)
          else if (item.do === 'lostDelta') truth = next
          else if (item.do === 'wrongSign') stage.receive(view(next, { sign: '00000000000000aa' }))
          else if (item.do === 'close') stage.reconnect()
          else live(stage, 6_000)
          if (item.do !== 'lostDelta') serve()
        }
        // Whatever was missed silently shows at the next comparison but one.
        for (let round = 0; round < 3; round += 1) {
          live(stage, 40_000)
          serve()
          const { req, services } = stage.last('signs')
          const changed = services
            .filter((mine) => mine.sign !== signOf(truth))
            .map(() => ({ namespace: 'default', service: 'orders', sign: signOf(truth) }))
          stage.receive({ type: 'signs', req: req ?? 0, changed })
          serve()
        }
        const digests = (items: readonly Instance[]): string[] => items.map((found) => found.digest).sort()
        expect(digests(shown(stage)?.instances ?? [])).toEqual(digests(truth))
        expect(stage.machine.status(stage.now).services[0]?.sign).toBe(signOf(truth))
      }),
      { numRuns: 300 },
    )
  })
})
