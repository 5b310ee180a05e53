/** The JSON of views: encoded once, shared while the sign stays, bounded in bytes. */
import type { View, ViewName } from '@rollcall/wire'
import { EMPTY_SIGN } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { HandClock } from '@rollcall/testkit/time'
import { bodyOf, ViewBodies, type ViewSource } from './view-bodies.js'

const SIGN = '0123456789abcdef'

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

/** A registry that counts how often a view is built. */
class Source implements ViewSource {
  shown = SIGN
  built = 0
  known = true
  stale = false
  sign(): string {
    return this.known ? this.shown : EMPTY_SIGN
  }
  view({ service }: ViewName): View | undefined {
    this.built++
    return this.known ? view(service, this.shown, 0, this.stale) : undefined
  }
  health(): { readonly stale: boolean } {
    return { stale: this.stale }
  }
}

describe('bodies of views', () => {
  it('serve while the sign is the same, and for a second', () => {
    const clock = new HandClock()
    const bodies = new ViewBodies(clock, 10_000)
    const source = new Source()
    const name = { namespace: 'n', service: 's' }
    const first = bodies.current(source, name)
    expect(JSON.parse(String(first.body))).toMatchObject({ service: 's', sign: SIGN })
    clock.advance(999)
    expect(bodies.current(source, name).body).toBe(first.body)
    expect(source.built).toBe(1)
    clock.advance(1)
    bodies.current(source, name)
    expect(source.built).toBe(2)
    source.shown = SIGN.replace('0', '1')
    expect(bodies.current(source, name).sign).toBe(source.shown)
    bodies.current(source, { ...name, group: 'g' })
    expect(source.built).toBe(4)
  })

  it('do not outlive a change of staleness, which no sign shows, also of the empty view', () => {
    const bodies = new ViewBodies(new HandClock(), 10_000)
    const source = new Source()
    const staleness = (): unknown =>
      (JSON.parse(String(bodies.current(source, { namespace: 'n', service: 's' }).body)) as View).stale
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

  it('are empty for a service that is not known', () => {
    const source = new Source()
    source.known = false
    const { sign, body } = new ViewBodies(new HandClock(), 10_000).current(source, {
      namespace: 'n',
      service: 's',
    })
    expect([sign, JSON.parse(String(body))]).toEqual([
      EMPTY_SIGN,
      {
        namespace: 'n',
        service: 's',
        sign: EMPTY_SIGN,
        instances: [],
        guard: { tripped: false, kept: 0 },
        stale: false,
      },
    ])
  })

  it('are encoded once for one view, short ones as text and long ones as bytes', () => {
    const short = view('s', SIGN)
    const long = view('s', SIGN, 5_000)
    expect(bodyOf(short)).toBe(JSON.stringify(short))
    expect(bodyOf(long)).toBeInstanceOf(Buffer)
    expect(bodyOf(long)).toBe(bodyOf(long))
    expect(String(bodyOf(long))).toBe(JSON.stringify(long))
    expect(new ViewBodies(new HandClock(), 10_000).keep(long).body).toBe(bodyOf(long))
  })

  it('stay within their bytes by dropping the oldest', () => {
    const size = 'n/a'.length + JSON.stringify(view('a', SIGN)).length
    const bodies = new ViewBodies(new HandClock(), size * 2 + 10)
    const source = new Source()
    for (const service of ['a', 'b', 'c']) bodies.keep(view(service, SIGN))
    expect(bodies.bytes).toBe(2 * size)
    bodies.current(source, { namespace: 'n', service: 'c' })
    expect(source.built).toBe(0)
    bodies.current(source, { namespace: 'n', service: 'a' })
    expect(source.built).toBe(1)
    bodies.keep(view('c', SIGN))
    expect(bodies.bytes).toBe(2 * size)
    bodies.keep(view('d', SIGN, 5_000))
    expect(bodies.bytes).toBe(2 * size)
  })
})
