/** `rollcall watch`: changes of a list as events and lines. */
import type { ListChange } from '@rollcall/client'
import type { Instance } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { ChangeReader, eventLine } from './changes.js'

function instance(id: string, fields: Partial<Instance> = {}): Instance {
  const weight = fields.weight ?? 100
  const state = fields.state ?? 'up'
  return {
    namespace: 'default',
    service: 'orders',
    group: 'default',
    id,
    host: '10.0.0.1',
    port: 80,
    weight,
    metadata: {},
    state,
    stateAgeMs: 0,
    incarnation: 1,
    digest: `${id} ${state} ${weight}`,
    ...fields,
  }
}

function change(instances: readonly Instance[], fields: Partial<ListChange>): ListChange {
  return { type: 'delta', source: 'registry', sign: '', instances, upserts: [], removes: [], ...fields }
}

const plain = (_style: string, text: string): string => text
const told = (reader: ChangeReader, next: ListChange): string[] =>
  reader
    .read(next)
    .map(
      (event) => `${event.event} ${event.instance.id}${event.reason === undefined ? '' : ` ${event.reason}`}`,
    )

describe('ChangeReader', () => {
  it('tells added, changed and removed apart', () => {
    const reader = new ChangeReader()
    const [a, b] = [instance('a'), instance('b')]
    expect(told(reader, change([a], { type: 'view', upserts: [a] }))).toEqual(['added a'])
    expect(told(reader, change([a, b], { upserts: [b] }))).toEqual(['added b'])
    const suspect = instance('a', { state: 'suspect' })
    expect(told(reader, change([suspect, b], { upserts: [suspect] }))).toEqual(['changed a'])
    expect(told(reader, change([b], { removes: [{ instance: suspect, reason: 'expired' }] }))).toEqual([
      'removed a expired',
    ])
    expect(told(reader, change([b, a], { upserts: [a] }))).toEqual(['added a'])
  })

  it('is silent about what it has said already', () => {
    const reader = new ChangeReader()
    const a = instance('a')
    reader.read(change([a], { upserts: [a] }))
    expect(told(reader, change([a], { type: 'view', upserts: [a] }))).toEqual([])
    expect(told(reader, change([a], { removes: [{ instance: instance('never seen') }] }))).toEqual([])
  })

  it('keeps groups apart', () => {
    const reader = new ChangeReader()
    const [a, other] = [instance('a'), instance('a', { group: 'canary', digest: 'x' })]
    expect(told(reader, change([a, other], { upserts: [a, other] }))).toEqual(['added a', 'added a'])
  })
})

describe('eventLine', () => {
  const line = (event: Parameters<typeof eventLine>[1]): string =>
    eventLine(0, event, plain).replace(/^\S+ {2}/, '')

  it('shows the address where the id does not', () => {
    expect(line({ event: 'added', instance: instance('a') })).toBe('+  orders/default  a  10.0.0.1:80  up')
    expect(line({ event: 'added', instance: instance('10.0.0.1:80') })).toBe(
      '+  orders/default  10.0.0.1:80  up',
    )
    expect(line({ event: 'added', instance: instance('[::1]:80', { host: '::1' }) })).toBe(
      '+  orders/default  [::1]:80  up',
    )
  })

  it('says what is new', () => {
    const before = instance('10.0.0.1:80')
    const after = { ...before, weight: 5, zone: 'z', incarnation: 2, metadata: { b: '1', a: '\u001b' } }
    expect(line({ event: 'changed', instance: after, before })).toBe(
      '~  orders/default  10.0.0.1:80  up  weight 5  zone z  registered anew  a=\\u{1b} b=1',
    )
    expect(
      line({ event: 'changed', instance: { ...before, state: 'suspect', reason: 'silent' }, before }),
    ).toBe('~  orders/default  10.0.0.1:80  suspect  (silent)')
  })

  it('says why one left, if anybody knows', () => {
    const gone = instance('10.0.0.1:80', { reason: 'refused' })
    expect(line({ event: 'removed', instance: gone, reason: 'deregistered' })).toBe(
      '-  orders/default  10.0.0.1:80  deregistered',
    )
    expect(line({ event: 'removed', instance: gone })).toBe('-  orders/default  10.0.0.1:80  gone')
  })

  it('begins with the time of day', () => {
    expect(
      eventLine(
        new Date(2026, 0, 2, 3, 4, 5, 6).getTime(),
        { event: 'added', instance: instance('a') },
        plain,
      ),
    ).toMatch(/^03:04:05\.006 {2}\+/)
  })
})
