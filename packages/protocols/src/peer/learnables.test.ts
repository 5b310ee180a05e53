/** What is taken in of what a peer sends, and what is not. */
import { describe, expect, it } from 'vitest'
import { recordOf } from './entries.fixture.js'
import { learnableBytes, readLearnable } from './learnables.js'

const REGISTER = { counter: 5, node: 'a.1', value: null, by: 'eve', why: 'a test' }
const gone = {
  kind: 'record',
  record: {
    ...recordOf('x').record,
    content: { intent: 'gone', rev: 1, by: 'provider', last: recordOf('x').record.content },
  },
}

/** Another value at a path of an entry. */
function changed(path: string, value: unknown): unknown {
  const copy = structuredClone(recordOf('10.0.0.1:80', { probe: { type: 'tcp' } })) as unknown
  const names = path.split('.')
  const last = names.pop() as string
  const place = names.reduce(
    (at, name) => at[name] as Record<string, unknown>,
    copy as Record<string, unknown>,
  )
  if (value === undefined) delete place[last]
  else place[last] = value
  return copy
}

describe('an entry', () => {
  it.each([
    recordOf('10.0.0.1:80'),
    recordOf('x', {
      zone: 'z',
      protocol: 'grpc',
      restored: true,
      foreign: { protocol: 'eureka', document: '{"app":"ORDERS"}' },
      probe: { type: 'http', tls: true, status: '200-299' },
    }),
    gone,
    { ...gone, record: { ...gone.record, content: { intent: 'gone', rev: 0, by: 'operator' } } },
    changed('record.override', { ...REGISTER, value: { drain: true, weight: { value: 3, incarnation: 1 } } }),
    changed('record.override', REGISTER),
    { kind: 'freeze', namespace: '*', register: { ...REGISTER, value: true } },
    { kind: 'freeze', namespace: 'default', register: REGISTER },
    { kind: 'namespace', namespace: 'default', register: { ...REGISTER, value: { allow: ['10.0.0.0/8'] } } },
    {
      kind: 'service',
      namespace: 'default',
      service: 's',
      register: { ...REGISTER, value: { groups: ['g'], removalMs: 5_000 } },
    },
  ])('is taken as it is: %j', (entry) => {
    const travelled: unknown = JSON.parse(JSON.stringify(entry))
    expect(readLearnable(travelled)).toEqual(entry)
  })

  it('keeps what only a newer version knows', () => {
    const entry = changed('record.content.colour', 'red')
    expect(readLearnable(entry)).toBe(entry)
  })

  it.each([
    ['record', null],
    ['record.namespace', 'a/b'],
    ['record.service', ''],
    ['record.id', 'a b'],
    ['record.id', 7],
    ['record.incarnation', -1],
    ['record.incarnation', 1.5],
    ['record.incarnation', 2 ** 53],
    ['record.content', undefined],
    ['record.content.intent', 'sleeping'],
    ['record.content.port', 0],
    ['record.content.port', 65_536],
    ['record.content.weight', -1],
    ['record.content.metadata', { a: 1 }],
    ['record.content.metadata', { a: 'x'.repeat(140_000) }],
    ['record.content.metadata', JSON.parse('{"__proto__":"x"}')],
    ['record.content.digest', 'xyz'],
    ['record.content.liveness', 'faith'],
    ['record.content.probe', { type: 'riddle' }],
    ['record.content.host', 'x'.repeat(300)],
    ['record.verdict.value', 'dead'],
    ['record.verdict.node', 'x'.repeat(300)],
    ['record.verdict.reason', undefined],
    ['record.override', { ...REGISTER, value: 'drain' }],
    ['record.override', { ...REGISTER, value: { drain: 1 } }],
    ['record.override', { ...REGISTER, by: 'x'.repeat(300) }],
    ['record.override', { node: 'a', value: null }],
  ])('is not taken with another %s: %j', (path, value) => {
    expect(readLearnable(changed(path, value))).toBeUndefined()
  })

  it.each([
    null,
    [],
    { kind: 'forget' },
    { kind: 'toString' },
    { kind: 'freeze', namespace: 'a b', register: REGISTER },
    { kind: 'freeze', namespace: '*', register: { ...REGISTER, value: false } },
    { kind: 'namespace', namespace: '*', register: REGISTER },
    { kind: 'service', namespace: 'default', register: REGISTER },
    {
      kind: 'service',
      namespace: 'default',
      service: 's',
      register: { ...REGISTER, value: { groups: 'g' } },
    },
  ])('is not taken: %j', (entry) => {
    expect(readLearnable(entry)).toBeUndefined()
  })

  it('weighs about what it is long', () => {
    const entry = recordOf('10.0.0.1:80', { metadata: { a: 'x'.repeat(5_000) } })
    for (const each of [entry, recordOf('y')]) {
      const { length } = JSON.stringify(each)
      expect(learnableBytes(each) / length).toBeGreaterThan(0.8)
      expect(learnableBytes(each) / length).toBeLessThan(1.5)
    }
  })
})
