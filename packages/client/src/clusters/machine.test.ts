/** Registrations in one cluster and in several, and closing. */
import { describe, expect, it } from 'vitest'
import { spec, Stage } from './stage.fixture.js'
import { createClientMachine } from './machine.js'

const KEY = 'default\norders'
const ready = (token: number) => ({ type: 'ready', token, key: KEY, timeoutMs: 5_000 }) as const

it.each([[['default']], [['east', 'west']]])('names the cluster in which an id is taken: %j', (names) => {
  const stage = Stage.over(Object.fromEntries(names.map((name) => [name, {}])))
  const items = [{ handle: 1, spec: spec('a'), intent: 'up' as const }]
  stage.do({ type: 'start' }, { type: 'register', token: 1, items }, { type: 'register', token: 2, items })
  expect(stage.all('reject')[0]?.error).toMatchObject({
    code: 'id_taken',
    message: `orders a is registered in ${names[0]} by this client already`,
  })
})

it('needs a cluster', () => {
  expect(() => createClientMachine([])).toThrow(RangeError)
})

describe('registrations', () => {
  const items = [{ handle: 1, spec: spec('a'), intent: 'up' as const }]
  const register = { type: 'register', token: 9, items } as const

  function registering(...clusters: readonly string[]): Stage {
    const stage = Stage.over()
    stage.do({ type: 'start' })
    stage.meet(...clusters)
    stage.do(register)
    return stage
  }

  it('go to all clusters at once, with one number, and the first that accepts decides', () => {
    const stage = registering('east', 'west')
    const numbers = ['east', 'west'].map((name) => stage.told(name, 'register')[0]?.instances[0]?.incarnation)
    expect(numbers[0]).toBe(numbers[1])
    stage.answers('west')
    expect(stage.outcome(9)).toBe('resolve')
    expect(stage.all('registration').map(({ cluster, state }) => `${cluster} ${state}`)).toEqual([
      'east pending',
      'west pending',
      'west up',
    ])
    stage.answers('east')
    expect(stage.all('registration').at(-1)).toMatchObject({ cluster: 'east', state: 'up' })
  })

  it('go on being put to a cluster that was away', () => {
    const stage = registering('west')
    stage.answers('west')
    expect(stage.outcome(9)).toBe('resolve')
    stage.live(60_000, 'west')
    stage.meet('east')
    stage.answers('east')
    expect(stage.all('registration').at(-1)).toMatchObject({ cluster: 'east', state: 'up' })
    expect(stage.machine.status(stage.now)).toMatchObject({
      registrations: 1,
      clusters: [{ registrations: 1, accepted: 1 }, { accepted: 1 }],
    })
  })

  it('are pending after 3 s when no registry answers', () => {
    const stage = registering()
    stage.pass(2_999)
    expect(stage.outcome(9)).toBeUndefined()
    stage.pass(1)
    expect(stage.outcome(9)).toBe('resolve')
  })

  it('are refused as a whole when one refuses and no other is in reach, and then nothing stays', () => {
    const stage = registering('east')
    stage.loses('west')
    stage.answers('east', 'not here')
    expect(stage.outcome(9)).toBe('service_not_allowed')
    expect(stage.all('reject')[0]?.error).toMatchObject({
      message: 'east: not here',
      details: { cluster: 'east' },
    })
    expect(stage.machine.status(stage.now).registrations).toBe(0)
    stage.pass(1_000)
    stage.meet('west')
    expect(stage.told('west', 'register')).toEqual([])
  })

  it('are taken where one accepts what another refuses, which is asked again', () => {
    const stage = registering('east', 'west')
    stage.answers('east', 'not here')
    expect(stage.outcome(9)).toBeUndefined()
    stage.answers('west')
    expect(stage.outcome(9)).toBe('resolve')
    expect(
      stage.all('registration').find(({ cluster, state }) => cluster === 'east' && state === 'refused'),
    ).toBeDefined()
    stage.live(35_000, 'east', 'west')
    expect(stage.told('east', 'register')).toHaveLength(2)
  })

  it('are of some clusters only, and on their own terms, if so asked', () => {
    const stage = Stage.over({ north: {}, east: {}, west: {} })
    stage.do({ type: 'start' })
    stage.meet('north', 'east', 'west')
    const clusters = new Map([
      ['east', {}],
      ['west', { liveness: 'static' as const }],
    ])
    stage.do({ type: 'register', token: 1, items: [{ ...items[0]!, clusters }] })
    expect(stage.told('north', 'register')).toEqual([])
    expect(stage.told('east', 'register')[0]?.instances[0]).not.toHaveProperty('liveness')
    expect(stage.told('west', 'register')[0]?.instances[0]).toMatchObject({ liveness: 'static' })
    stage.do({
      type: 'register',
      token: 2,
      items: [{ ...items[0]!, handle: 2, clusters: new Map([['north', {}]]) }],
    })
    expect(stage.told('north', 'register')).toHaveLength(1)
    stage.do({ type: 'register', token: 3, items: [{ ...items[0]!, handle: 3 }] })
    expect(stage.outcome(3)).toBe('id_taken')
    expect(stage.machine.status(stage.now).registrations).toBe(2)
  })

  it('change when the first agrees', () => {
    const stage = registering('east')
    stage.answers('east')
    stage.do({ type: 'update', token: 5, handle: 1, patch: { weight: 7 } })
    expect(stage.outcome(5)).toBeUndefined()
    stage.answers('east')
    expect(stage.outcome(5)).toBe('resolve')
    stage.pass(200)
    stage.meet('west')
    expect(stage.told('west', 'register').at(-1)?.instances[0]).toMatchObject({ weight: 7 })
    stage.do({ type: 'update', token: 6, handle: 1, patch: { weight: 8 } })
    stage.answers('east', 'too heavy')
    expect(stage.outcome(6)).toBeUndefined()
    stage.answers('west', 'too heavy')
    expect(stage.outcome(6)).toBe('service_not_allowed')
  })

  it('leave all clusters at once; the one that does not answer is heard of after 5 s and still told', () => {
    const stage = registering('east', 'west')
    stage.answers('east')
    stage.answers('west')
    stage.do({ type: 'deregister', token: 5, handles: [1] })
    const { req } = stage.told('east', 'deregister')[0]!
    expect(stage.told('west', 'deregister')).toHaveLength(1)
    stage.says('east', {
      type: 'deregistered',
      req: req!,
      removed: [],
      unknown: [],
      superseded: [],
      durability: 'memory',
    })
    stage.live(4_000, 'east', 'west')
    expect(stage.outcome(5)).toBeUndefined()
    stage.live(1_000, 'east', 'west')
    expect(stage.outcome(5)).toBe('timeout')
    expect(stage.all('reject').at(-1)?.error.message).toMatch(/^west: /)
    stage.do({ type: 'update', token: 6, handle: 1, patch: {} })
    expect(stage.outcome(6)).toBe('deregistered')
  })

  it('are taken back when their caller loses interest', () => {
    const stage = registering('east', 'west')
    stage.do({ type: 'abandon', token: 9 })
    expect([stage.told('east', 'deregister'), stage.told('west', 'deregister')].flat()).toHaveLength(2)
    stage.answers('west')
    expect(stage.outcome(9)).toBeUndefined()
  })
})

describe('closing', () => {
  const register = {
    type: 'register',
    token: 9,
    items: [{ handle: 1, spec: spec('a'), intent: 'up' as const }],
  } as const

  it('goes on in all clusters at the same time, and a dead one holds up no other', () => {
    const stage = Stage.over()
    stage.do({ type: 'start' })
    stage.meet('east', 'west')
    stage.do(register)
    stage.answers('east')
    stage.answers('west')
    stage.do({ type: 'close', token: 1 })
    stage.pass(1_000)
    const { req } = stage.told('east', 'deregister')[0]!
    expect(stage.told('west', 'deregister')).toHaveLength(1)
    stage.says('east', {
      type: 'deregistered',
      req: req!,
      removed: [],
      unknown: [],
      superseded: [],
      durability: 'memory',
    })
    expect(stage.all('drop').map(({ connection }) => connection)).toEqual([stage.to('east')])
    stage.pass(3_999)
    expect(stage.outcome(1)).toBeUndefined()
    stage.pass(1)
    expect(stage.outcome(1)).toBe('resolve')
    expect(stage.machine.deadline()).toBeUndefined()
    expect(stage.machine.status(stage.now).connection.state).toBe('closed')
  })

  it.each([[['east']], [['east', 'west']]])(
    'of %j lets deregistrations that are under way go on',
    (names) => {
      const stage = Stage.over(Object.fromEntries(names.map((name) => [name, {}])))
      stage.do({ type: 'start' })
      stage.meet(...names)
      stage.do(register)
      for (const name of names) stage.answers(name)
      stage.do({ type: 'deregister', token: 1, handles: [1] }, { type: 'close', token: 2 })
      expect([1, 2].map((token) => stage.outcome(token))).toEqual([undefined, undefined])
      for (const name of names) {
        const { req = 0 } = stage.told(name, 'deregister')[0]!
        const nothing = { removed: [], unknown: [], superseded: [], durability: 'memory' } as const
        stage.says(name, { type: 'deregistered', req, ...nothing })
      }
      expect([1, 2].map((token) => stage.outcome(token))).toEqual(['resolve', 'resolve'])
    },
  )

  it('ends with deregistrations that no registry is left to confirm', () => {
    const stage = Stage.over()
    stage.do({ type: 'start' })
    stage.meet('east', 'west')
    stage.do(register)
    stage.answers('east')
    stage.answers('west')
    stage.do({ type: 'deregister', token: 1, handles: [1] }, { type: 'close', token: 2 })
    for (const name of ['east', 'west', 'east', 'west']) stage.loses(name)
    expect([1, 2].map((token) => stage.outcome(token))).toEqual(['closed', 'resolve'])
  })

  it('rejects what waits, and what comes later', () => {
    const stage = Stage.over()
    stage.do({ type: 'start' }, { type: 'watch', names: [{ namespace: 'default', service: 'orders' }] })
    stage.do(ready(1), register, { type: 'close', token: 2 }, ready(3), { type: 'close', token: 4 })
    expect([1, 9, 2, 3, 4].map((token) => stage.outcome(token))).toEqual([
      'closed',
      'closed',
      'resolve',
      'closed',
      'resolve',
    ])
    stage.do(ready(5))
    expect(stage.outcome(5)).toBe('closed')
    expect(stage.all('resolve').filter(({ token }) => token === 2)).toHaveLength(1)
  })
})
