/** The JSON of views: encoded once, shared while the sign stays, bounded in bytes and in the work of a turn. */
import type { ViewFilter, Clock, ViewCapture } from '@rollcall/core'
import { type Delta, EMPTY_SIGN, type Instance, type View, type ViewName } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { HandClock } from '@rollcall/testkit/time'
import { ViewBodies, type ViewBody, type ViewSource } from './view-bodies.js'

const SIGN = '0123456789abcdef'
const NAME = { namespace: 'n', service: 's' }

function view(service: string, sign: string, padding = 0, stale = false): View {
  const filler = 'x'.repeat(padding)
  return {
    namespace: 'n',
    service,
    sign,
    instances: [],
    guard: { tripped: false, kept: 0 },
    stale,
    ...{ filler },
  }
}

/** A registry that counts how often a view is captured, and how many of its instances are made in a turn. */
class Source implements ViewSource {
  shown = SIGN
  built = 0
  known = true
  stale = false
  size = 0
  padding = 0
  made = 0
  deltas = 0
  delta(name: ViewName, sign: string): Delta | undefined {
    this.deltas++
    const upserts = Array.from({ length: 100 }, (_, index) => instance(index))
    return sign === 'old' ? { ...name, from: sign, to: this.shown, upserts, removes: [] } : undefined
  }
  sign(): string {
    return this.known ? this.shown : EMPTY_SIGN
  }
  capture({ service }: ViewName, filter?: ViewFilter): ViewCapture {
    this.built++
    const { sign, guard, stale } = this.known
      ? view(service, this.shown, 0, this.stale)
      : { ...view(service, EMPTY_SIGN), stale: this.stale }
    return {
      name: { namespace: 'n', service, sign },
      size: filter?.zone === 'nowhere' ? 0 : this.size,
      instance: (place) => {
        this.made++
        return instance(place)
      },
      facts: { guard, stale, ...{ filler: 'x'.repeat(this.padding) } },
    }
  }
  isStale(): boolean {
    return this.stale
  }
}

function instance(place: number): Instance {
  return { id: `i${place}`, metadata: { filler: 'y'.repeat(80) } } as unknown as Instance
}

/** What is at hand. */
function atOnce(body: ViewBody | Promise<ViewBody>): ViewBody {
  if (body instanceof Promise) throw new Error('it has to be made')
  return body
}

describe('bodies of views', () => {
  it('serve while the sign is the same, and for a second', () => {
    const clock = new HandClock()
    const bodies = new ViewBodies(clock, 10_000)
    const source = new Source()
    const name = NAME
    const first = atOnce(bodies.current(source, name))
    expect(JSON.parse(String(first.body))).toMatchObject({ service: 's', sign: SIGN })
    clock.advance(999)
    expect(atOnce(bodies.current(source, name)).body).toBe(first.body)
    expect(source.built).toBe(1)
    clock.advance(1)
    atOnce(bodies.current(source, name))
    expect(source.built).toBe(2)
    source.shown = SIGN.replace('0', '1')
    expect(atOnce(bodies.current(source, name)).sign).toBe(source.shown)
    atOnce(bodies.current(source, { ...name, group: 'g' }))
    expect(source.built).toBe(4)
  })

  it('do not outlive a change of staleness, which no sign shows, also of the empty view', () => {
    const bodies = new ViewBodies(new HandClock(), 10_000)
    const source = new Source()
    const staleness = (): unknown =>
      (JSON.parse(String(atOnce(bodies.current(source, NAME)).body)) as View).stale
    const seen: unknown[] = []
    for (const known of [true, false]) {
      source.known = known
      for (const stale of [false, true, false]) {
        source.stale = stale
        seen.push(staleness())
      }
    }
    expect(seen).toEqual([false, true, false, false, true, false])
  })

  it('are encoded once for one capture, short ones as text and long ones as bytes', () => {
    const bodies = new ViewBodies(new HandClock(), 0)
    const source = new Source()
    const short = source.capture(NAME)
    expect(bodies.of(short)).toBe(JSON.stringify(view('s', SIGN, 0)))
    source.padding = 5_000
    const long = source.capture(NAME)
    const body = bodies.of(long)
    if (body instanceof Promise) throw new Error('it has to be made')
    expect(body).toBeInstanceOf(Buffer)
    expect(bodies.of(long)).toBe(body)
    expect(String(body)).toBe(JSON.stringify(view('s', SIGN, 5_000)))
  })

  it('stay within their bytes by dropping the oldest', () => {
    const source = new Source()
    const sizeOf = (service: string): number =>
      `n/${service}`.length +
      atOnce(new ViewBodies(new HandClock(), 1_000).current(source, { ...NAME, service })).body.length
    const size = sizeOf('a')
    const bodies = new ViewBodies(new HandClock(), size * 2 + 10)
    const look = (service: string): ViewBody => atOnce(bodies.current(source, { ...NAME, service }))
    for (const service of ['a', 'b', 'c']) look(service)
    expect(bodies.bytes).toBe(2 * size)
    source.built = 0
    look('c')
    expect(source.built).toBe(0)
    look('a')
    expect(source.built).toBe(1)
    source.padding = 5_000
    look('d')
    expect(bodies.bytes).toBe(2 * size)
  })

  it('of a part of a view are shared too where they are long, and made anew where they are short', () => {
    const bodies = new ViewBodies(new HandClock(), 1_000_000)
    const source = new Source()
    source.size = 100
    const states = ['up', 'down'] as const
    const up = atOnce(bodies.current(source, NAME, { states }))
    expect(atOnce(bodies.current(source, NAME, { states: states.toReversed() })).body).toBe(up.body)
    atOnce(bodies.current(source, NAME, { states, zone: 'a' }))
    expect(source.built).toBe(2)
    for (let times = 0; times < 2; times++) atOnce(bodies.current(source, NAME, { zone: 'nowhere' }))
    expect(source.built).toBe(4)
  })

  it('answer all who show the same sign: a delta, or the view where it is not known any more', () => {
    const bodies = new ViewBodies(new HandClock(), 1_000_000)
    const source = new Source()
    const delta = atOnce(bodies.since(source, NAME, 'old'))
    expect(JSON.parse(String(delta.body))).toMatchObject({ from: 'old', to: SIGN })
    expect(atOnce(bodies.since(source, NAME, 'old')).body).toBe(delta.body)
    expect([source.deltas, source.built]).toEqual([1, 0])
    const full = atOnce(bodies.current(source, NAME))
    for (let times = 0; times < 50; times++)
      expect(atOnce(bodies.since(source, NAME, `unknown ${times}`)).body).toBe(full.body)
    expect(source.built).toBe(1)
  })
})

describe('a long view', () => {
  function setUp() {
    const hand = new HandClock()
    const source = new Source()
    source.size = 7_000
    /** Instances that were made in each turn of the loop after the first. */
    const turns: number[] = []
    const clock: Clock = {
      now: () => hand.now(),
      wallNow: () => hand.wallNow(),
      setTimer: (delayMs, callback) =>
        hand.setTimer(delayMs, () => {
          const had = source.made
          callback()
          turns.push(source.made - had)
        }),
    }
    return { hand, bodies: new ViewBodies(clock, 10_000_000), source, turns }
  }

  it('is encoded in slices, once for all who ask meanwhile', async () => {
    const { hand, bodies, source, turns } = setUp()
    const first = bodies.current(source, NAME)
    const second = bodies.current(source, NAME)
    expect(second).toBe(first)
    expect(source.made).toBe(2_000)
    hand.advance(10)
    expect(turns).toEqual([2_000, 2_000, 1_000])
    const { sign, body } = await first
    expect(sign).toBe(SIGN)
    const parsed = JSON.parse(String(body)) as View
    expect(Object.keys(parsed).slice(0, 4)).toEqual(['namespace', 'service', 'sign', 'instances'])
    expect(parsed.instances.map(({ id }) => id)).toEqual(Array.from({ length: 7_000 }, (_, i) => `i${i}`))
    expect(parsed.stale).toBe(false)
    expect(atOnce(bodies.current(source, NAME)).body).toBe(body)
  })

  it('that changed is encoded after the one under way, once for all who ask after the change', async () => {
    const { hand, bodies, source, turns } = setUp()
    const before = bodies.current(source, NAME)
    source.shown = SIGN.replace('0', '1')
    const after = bodies.current(source, NAME)
    source.shown = SIGN.replace('0', '2')
    expect(bodies.current(source, NAME)).toBe(after)
    hand.advance(10)
    expect(Math.max(...turns)).toBe(2_000)
    expect((await before).sign).toBe(SIGN)
    expect((await after).sign).toBe(source.shown)
    expect(source.made).toBe(14_000)
  })

  it('that subscribers are sent is encoded in slices as it was captured, and serves lookups too', async () => {
    const { hand, bodies, source, turns } = setUp()
    const captured = source.capture(NAME)
    const pushed = bodies.of(captured)
    expect(bodies.of(captured)).toBe(pushed)
    expect(bodies.current(source, NAME)).toBeInstanceOf(Promise)
    source.shown = SIGN.replace('0', '1')
    const next = bodies.of(source.capture(NAME))
    expect(source.made).toBe(2_000)
    hand.advance(10)
    expect(Math.max(...turns)).toBe(2_000)
    expect(JSON.parse(String(await pushed))).toMatchObject({ sign: SIGN, instances: { length: 7_000 } })
    expect(bodies.of(captured)).toBe(await pushed)
    expect(JSON.parse(String(await next))).toMatchObject({ sign: source.shown })
    expect(source.made).toBe(14_000)
  })

  it('that subscribers are sent is encoded at once where too many wait', () => {
    const { bodies, source } = setUp()
    source.size = 400_000
    const bodyOf = (service: string) => bodies.of(source.capture({ ...NAME, service }))
    expect([bodyOf('a'), bodyOf('b')].every((body) => body instanceof Promise)).toBe(true)
    source.size = 200_001
    expect(bodyOf('c')).toBeInstanceOf(Buffer)
  })

  it('is refused where too many wait', () => {
    const { bodies, source } = setUp()
    for (let each = 0; each < 1_000; each++) void bodies.current(source, { ...NAME, service: `s${each}` })
    expect(() => bodies.current(source, NAME)).toThrow('too many long lists')
    expect(source.made).toBe(2_000)
  })
})
