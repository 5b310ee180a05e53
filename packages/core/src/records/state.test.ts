/** What is shown, as a function of the three registers. */
import { defined, mix, parseLanes, STATE_NUMBERS } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import type { Content, StoredRecord, VerdictValue, Wishes } from './record.js'
import { keyOf } from '../simulated-node.fixture.js'
import { isLive, shownDigest, shownReason, shownState } from './state.js'

function record(intent: Content['intent'], value: VerdictValue, wishes?: Wishes, why?: string): StoredRecord {
  const content: Content =
    intent === 'gone'
      ? { intent, rev: 1, by: 'provider' }
      : {
          intent,
          rev: 1,
          host: '10.0.0.1',
          port: 1,
          weight: 100,
          metadata: {},
          leaseMs: 15_000,
          liveness: 'lease',
          named: true,
          digest: '00112233445566ff',
        }
  return {
    ...keyOf('a'),
    incarnation: 1,
    content,
    verdict: { value, claim: 1, node: 'n1', seq: 1, reason: 'silence' },
    ...(wishes === undefined
      ? {}
      : { override: { counter: 1, node: 'n1', value: wishes, ...defined({ why }) } }),
  }
}

describe('shownState', () => {
  const both = { drain: true, disable: true }
  it.each([
    ['gone', 'up', undefined, null],
    ['gone', 'up', both, null],
    ['up', 'expired', both, null],
    ['up', 'down', both, 'disabled'],
    ['starting', 'up', { disable: true }, 'disabled'],
    ['draining', 'down', { drain: true }, 'down'],
    ['up', 'suspect', { drain: true }, 'draining'],
    ['draining', 'suspect', undefined, 'draining'],
    ['up', 'suspect', undefined, 'suspect'],
    ['starting', 'suspect', undefined, 'suspect'],
    ['starting', 'up', undefined, 'starting'],
    ['up', 'up', { drain: false, disable: false }, 'up'],
  ] as const)('of intent %s, verdict %s, override %j is %s', (intent, value, override, expected) => {
    expect(shownState(record(intent, value, override))).toBe(expected)
  })
})

describe('shownReason', () => {
  it('names the verdict of the doubtful and the operator of the overridden', () => {
    expect(shownReason(record('up', 'suspect'), 'suspect')).toBe('silence')
    expect(shownReason(record('up', 'down'), 'down')).toBe('silence')
    expect(shownReason(record('up', 'up', { disable: true }, 'bad disk'), 'disabled')).toBe('bad disk')
    expect(shownReason(record('up', 'up', { drain: true }), 'draining')).toBe('operator')
  })

  it('says nothing where the state says it all', () => {
    expect(shownReason(record('draining', 'up'), 'draining')).toBeUndefined()
    expect(shownReason(record('up', 'up'), 'up')).toBeUndefined()
  })
})

describe('shownDigest', () => {
  it('mixes the carried digest with state and effective weight', () => {
    const plain = record('up', 'up')
    const weighted = record('up', 'up', { weight: { value: 3, incarnation: 1 } })
    const lanes = parseLanes('00112233445566ff')
    expect(isLive(plain) && shownDigest(plain, 'up')).toEqual(mix(lanes, STATE_NUMBERS.up, 100))
    expect(isLive(weighted) && shownDigest(weighted, 'up')).toEqual(mix(lanes, STATE_NUMBERS.up, 3))
  })
})
