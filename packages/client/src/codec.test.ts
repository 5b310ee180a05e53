import { describe, expect, it } from 'vitest'
import { decode } from './codec.js'
import { delta, instance, view } from './machine/stage.fixture.js'

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
