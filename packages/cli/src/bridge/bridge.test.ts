/** A bridge between two registries in memory, on a clock that is moved by hand: what it mirrors, and what it never does. */
import { HandClock } from '@rollcall/testkit/time'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runBridge, type BridgeOptions } from './bridge.js'
import { FakeRegistry, instance } from './registries.fixture.js'
import { addressesOf, type SeenInstance } from './records.js'

const EVERY_MS = 10_000

class Scene {
  readonly clock = new HandClock()
  readonly eureka = new FakeRegistry('eureka', () => this.clock.now(), true)
  readonly own = new FakeRegistry('rollcall', () => this.clock.now())

  start(more: Partial<BridgeOptions> = {}): {
    readonly stop: AbortController
    readonly ended: Promise<number>
    readonly kill: () => void
  } {
    const stop = new AbortController()
    const { eureka, own, clock } = this
    let dead = false
    // A killed process does not set timers any more.
    const mortal = {
      now: () => clock.now(),
      wallNow: () => clock.wallNow(),
      setTimer: (ms: number, call: () => void) => clock.setTimer(ms, () => !dead && call()),
    }
    const nothing = (): void => undefined
    const report = { round: nothing, side: nothing, direction: nothing, ended: nothing }
    const ended = runBridge(
      { clock: mortal, random: () => 0.5, report },
      {
        bridge: 'b',
        ways: [
          [eureka, own],
          [own, eureka],
        ],
        everyMs: EVERY_MS,
        holdMs: 300_000,
        instancesMax: 1_000,
        keep: false,
        ...more,
      },
      stop.signal,
    )
    return { stop, ended, kill: () => (dead = true) }
  }

  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1_000) {
      this.clock.advance(Math.min(left, 1_000))
      for (let turn = 0; turn < 30; turn++) await Promise.resolve()
    }
  }
}

const idsOf = (list: readonly SeenInstance[]): string[] => list.map(({ host }) => host).sort()

describe('a bridge', () => {
  it('shows both registries the instances of the other one, and takes them out at its end', async () => {
    const scene = new Scene()
    scene.eureka.home(instance(1))
    scene.own.home(instance(2))
    const { stop, ended } = scene.start()
    await scene.pass(100_000)
    expect(idsOf(scene.eureka.all())).toEqual(['10.0.0.1', '10.0.0.2'])
    expect(idsOf(scene.own.all())).toEqual(['10.0.0.1', '10.0.0.2'])
    scene.eureka.home(instance(3))
    scene.eureka.home(instance(1, { metadata: { version: '2' } }))
    await scene.pass(20_000)
    expect(scene.own.mirrors().map(({ metadata }) => metadata)).toEqual([{ version: '2' }, {}])
    stop.abort()
    await ended
    expect([scene.eureka.mirrors(), scene.own.mirrors()]).toEqual([[], []])
  })

  it('leaves what it mirrored to its leases where it is to, or killed; the next one takes it over', async () => {
    const scene = new Scene()
    scene.eureka.home(instance(1))
    const first = scene.start({ keep: true })
    await scene.pass(15_000)
    first.stop.abort()
    await first.ended
    const left = scene.own.mirrors()
    expect(left).toHaveLength(1)
    const second = scene.start()
    await scene.pass(15_000)
    expect(scene.own.mirrors()).toEqual(left)
    scene.eureka.home(instance(2))
    scene.eureka.leave('i1')
    await scene.pass(15_000)
    expect(idsOf(scene.own.mirrors())).toEqual(['10.0.0.1', '10.0.0.2'])
    await scene.pass(310_000)
    expect(idsOf(scene.own.mirrors())).toEqual(['10.0.0.2'])
    second.kill()
    await scene.pass(60_000)
    expect(scene.own.mirrors()).toEqual([])
  })

  it('removes nothing for a source that is away, empty, partly back, or stale', async () => {
    const scene = new Scene()
    const list = [1, 2, 3, 4].map((n) => instance(n))
    for (const each of list) scene.eureka.home(each)
    scene.own.home(instance(9))
    const { kill } = scene.start()
    await scene.pass(30_000)
    scene.eureka.away = true
    await scene.pass(600_000)
    scene.eureka.clear()
    scene.eureka.away = false
    await scene.pass(600_000)
    expect(scene.own.mirrors()).toHaveLength(4)
    // It forgot what was mirrored there too.
    expect(idsOf(scene.eureka.mirrors())).toEqual(['10.0.0.9'])
    for (const each of list.slice(1)) scene.eureka.home(each)
    await scene.pass(60_000)
    expect(scene.own.mirrors()).toHaveLength(4)
    await scene.pass(310_000)
    expect(scene.own.mirrors()).toHaveLength(3)
    scene.eureka.leave('i2')
    scene.eureka.stale = true
    await scene.pass(600_000)
    expect(scene.own.mirrors()).toHaveLength(3)
    scene.eureka.stale = false
    // Half of them go at once.
    scene.eureka.leave('i3')
    await scene.pass(60_000)
    expect(scene.own.mirrors()).toHaveLength(3)
    await scene.pass(310_000)
    expect(idsOf(scene.own.mirrors())).toEqual(['10.0.0.4'])
    kill()
  })

  it('renews what an earlier one left, also while the source is away', async () => {
    const scene = new Scene()
    scene.eureka.home(instance(1))
    const first = scene.start({ keep: true })
    await scene.pass(15_000)
    first.stop.abort()
    await first.ended
    scene.eureka.away = true
    const next = scene.start()
    await scene.pass(200_000)
    expect(idsOf(scene.own.mirrors())).toEqual(['10.0.0.1'])
    next.kill()
  })

  it('puts everything back into a registry that lost it', async () => {
    const scene = new Scene()
    scene.eureka.home(instance(1))
    const { kill } = scene.start()
    await scene.pass(30_000)
    scene.own.clear()
    await scene.pass(30_000)
    expect(scene.own.mirrors()).toHaveLength(1)
    kill()
  })

  it('says how many it could not take out at its end', async () => {
    const scene = new Scene()
    scene.eureka.home(instance(1))
    for (const [away, keep, expected] of [
      [true, false, 1],
      [true, true, 0],
      [false, false, 0],
    ] as const) {
      const { stop, ended } = scene.start({ keep })
      await scene.pass(15_000)
      scene.own.away = away
      stop.abort()
      await scene.pass(15_000)
      expect([keep, await ended]).toEqual([keep, expected])
      scene.own.away = false
    }
  })

  it('renews those first that were renewed longest ago, should there be time for some only', async () => {
    const scene = new Scene()
    for (let n = 1; n <= 6; n++) scene.eureka.home(instance(n))
    // Time for two in each round, and no more.
    const renew = scene.own.renew.bind(scene.own)
    const asked: string[] = []
    scene.own.renew = (items, late, done) => {
      asked.push(...items.slice(0, 2).map(({ host }) => host))
      return renew(items.slice(0, 2), late, done)
    }
    const { kill } = scene.start()
    await scene.pass(55_000)
    expect(new Set(asked).size).toBe(6)
    kill()
  })

  it('mirrors the same ones where there are too many, in whichever order they are listed', async () => {
    const scene = new Scene()
    for (let n = 1; n <= 6; n++) scene.eureka.home(instance(n))
    const { kill } = scene.start({ instancesMax: 3 })
    await scene.pass(15_000)
    const before = idsOf(scene.own.mirrors())
    expect(before).toHaveLength(3)
    scene.eureka.clear()
    for (let n = 6; n >= 1; n--) scene.eureka.home(instance(n))
    await scene.pass(30_000)
    expect([idsOf(scene.own.mirrors()), scene.own.removals]).toEqual([before, []])
    kill()
  })

  it('mirrors no longer what moved', async () => {
    const scene = new Scene()
    scene.eureka.home(instance(1))
    const { kill } = scene.start()
    await scene.pass(20_000)
    scene.own.home(instance(1, { id: 'moved' }))
    await scene.pass(20_000)
    scene.eureka.leave('i1')
    await scene.pass(20_000)
    expect(scene.own.all().map(({ id }) => id)).toEqual(['moved'])
    expect(idsOf(scene.eureka.all())).toEqual(['10.0.0.1'])
    kill()
  })
})

/** What can happen in a run. */
const happening = fc.oneof(
  fc.record({
    what: fc.constantFrom('home', 'leave'),
    at: fc.constantFrom('eureka', 'own'),
    n: fc.integer({ min: 1, max: 6 }),
  }),
  fc.record({
    what: fc.constantFrom('away', 'back', 'clear', 'stale', 'fresh'),
    at: fc.constantFrom('eureka', 'own'),
    n: fc.constant(0),
  }),
  fc.record({
    what: fc.constantFrom('kill', 'start', 'stop'),
    at: fc.constantFrom('first', 'second'),
    n: fc.constant(0),
  }),
  fc.record({ what: fc.constant('pass'), at: fc.constant(''), n: fc.integer({ min: 1, max: 20 }) }),
)

describe('whatever happens', () => {
  it('mirrors no mirror, ends with what is at home, and leaves nothing once all bridges are dead', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 25 }), async (happenings) => {
        const scene = new Scene()
        const homes = { eureka: new Map<string, SeenInstance>(), own: new Map<string, SeenInstance>() }
        const bridges = new Map<string, ReturnType<Scene['start']>>()
        const bridgeOf = (at: string): void => {
          if (!bridges.has(at)) bridges.set(at, scene.start({ bridge: at }))
        }
        const check = (): void => {
          for (const side of ['eureka', 'own'] as const)
            for (const seen of scene[side].mirrors()) expect(seen.mark?.from).not.toBe(scene[side].kind)
          expect(scene.eureka.mirrors().length + scene.own.mirrors().length).toBeLessThanOrEqual(24)
        }
        for (const { what, at, n } of happenings) {
          const side = at === 'own' ? 'own' : 'eureka'
          const registry = scene[side]
          const seen = instance(n, { id: `${side}-${n}` })
          switch (what) {
            case 'home':
              homes[side].set(seen.id, seen)
              registry.home(seen)
              break
            case 'leave':
              homes[side].delete(seen.id)
              registry.leave(seen.id)
              break
            case 'clear':
              homes[side].clear()
              registry.clear()
              break
            case 'away':
            case 'back':
              registry.away = what === 'away'
              break
            case 'stale':
            case 'fresh':
              registry.stale = what === 'stale'
              break
            case 'start':
              bridgeOf(at)
              break
            case 'kill':
              bridges.get(at)?.kill()
              bridges.delete(at)
              break
            case 'stop':
              bridges.get(at)?.stop.abort()
              await scene.pass(1_000)
              bridges.delete(at)
              break
            default:
              await scene.pass(n * 1_000)
          }
          check()
        }
        // All is well from here on, and each registry has one of its own that is listed: nothing is in doubt for ever.
        for (const side of ['eureka', 'own'] as const) {
          Object.assign(scene[side], { away: false, stale: false })
          const last = instance(side === 'own' ? 100 : 101, { id: `${side}-last` })
          homes[side].set(last.id, last)
          scene[side].home(last)
        }
        bridgeOf('first')
        bridgeOf('second')
        await scene.pass(700_000)
        check()
        for (const [here, there] of [
          ['eureka', 'own'],
          ['own', 'eureka'],
        ] as const) {
          const own = new Set([...homes[here].values()].flatMap((seen) => addressesOf(seen)))
          const other = [...homes[there].values()].flatMap((seen) => addressesOf(seen))
          const mirrored = scene[here].mirrors().flatMap((seen) => addressesOf(seen))
          expect(mirrored.sort()).toEqual(other.filter((address) => !own.has(address)).sort())
        }
        for (const bridge of bridges.values()) bridge.kill()
        await scene.pass(61_000)
        expect([scene.eureka.mirrors(), scene.own.mirrors()]).toEqual([[], []])
      }),
      { numRuns: 60 },
    )
  })
})
