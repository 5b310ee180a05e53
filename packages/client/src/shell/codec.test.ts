/** What a node may send, and what is not believed. */
import type { ServerMessage } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { decode } from './codec.js'
import { delta, instance, view } from '../clusters/stage.fixture.js'
import { Mirror } from '../cluster/mirror.js'

/** The value with each of its parts in turn replaced by another. */
function variants(value: unknown, by: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [by]
  const copies = Object.entries(value).flatMap(([name, member]) =>
    variants(member, by).map((other) =>
      Array.isArray(value) ? value.with(Number(name), other) : { ...value, [name]: other },
    ),
  )
  return [by, ...copies]
}

describe('codec', () => {
  it('reads what a node sends', () => {
    for (const message of [
      view([instance('a')]),
      delta([], [instance('a')]),
      { type: 'pong', island: false },
    ]) {
      expect(decode(JSON.stringify(message))).toEqual(message)
    }
  })

  it('passes over what a newer node may say', () => {
    expect(decode('{"type":"weather","sunny":true}')).toBe('unknown')
    expect(decode('{"type":"pong","island":false,"mood":"good"}')).toMatchObject({ type: 'pong' })
    expect(decode('{"type":"toString"}')).toBe('unknown')
  })

  it('takes no message of which one part is not what it should be', () => {
    const junk = [null, 1, -1, 1.5, 'x'.repeat(100_000), [], {}, [null], [1], { a: 1 }, true]
    const whole: ServerMessage[] = [
      view([instance('a')], { removes: [{ group: 'g', id: 'b', incarnation: 1, reason: 'expired' }] }),
      delta([instance('b')], [instance('a')]),
      { type: 'registered', results: [{ ok: false, error: { code: 'internal', message: 'm' } }] },
    ]
    const spoiled = whole.flatMap((message) => junk.flatMap((value) => variants(message, value)))
    for (const message of spoiled) {
      const read = decode(JSON.stringify(message))
      if (read === undefined || read === 'unknown') continue
      // What is read all the same can be worked with.
      const mirror = new Mirror()
      if (read.type === 'view') mirror.replace(read)
      if (read.type === 'delta') mirror.apply(read)
      if (read.type === 'registered')
        for (const item of read.results) if (!item.ok) expect(typeof item.error.code).toBe('string')
    }
    expect(spoiled.length).toBeGreaterThan(500)
  })

  it('takes no number that is infinite', () => {
    expect(decode('{"type":"goaway","reason":"r","afterMs":1e999}')).toBeUndefined()
  })

  it.each([
    '',
    'x',
    '1',
    'null',
    '[]',
    '{}',
    '{"type":1}',
    '{"type":"view"}',
    '{"type":"delta","namespace":"a","service":"b","to":"c","upserts":{},"removes":[],"seq":1}',
    '{"type":"error","error":null}',
  ])('finds %s unreadable', (text) => {
    expect(decode(text)).toBeUndefined()
  })
})
