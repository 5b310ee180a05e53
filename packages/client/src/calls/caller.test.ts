/** Calls: attempts, deadlines, retries, hedges. */
import type { Instance } from '@rollcall/wire'
import { RegistryError } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import type { AttemptReport, Balancer } from '../balancers/balancer.js'
import { createRoundRobin } from '../balancers/round-robin.js'
import { HandClock, settle } from '@rollcall/testkit/time'
import { instance } from '../clusters/stage.fixture.js'
import { Selection } from './selection.js'
import type { AttemptContext, CallOptions } from './call.js'
import { ServiceCalls } from './caller.js'

const LIST = ['a', 'b', 'c', 'd'].map((id, port) => instance(id, { port: port + 1 }))

interface Begun extends AttemptContext {
  readonly id: string
  answer(value: string): Promise<void>
  fail(error: unknown): Promise<void>
}

function failure(code: string, fields: object = {}): Error {
  return Object.assign(new Error(code), { code, ...fields })
}

/** Calls whose attempts end when the test says so. */
function stage(list: readonly Instance[] = LIST, others: readonly Instance[] = []) {
  const out = new Set<string>()
  /** When everybody on the list has failed, the others are called. */
  const failed = (id: string): void => {
    if (out.add(id).size === list.length && others.length > 0)
      selection.offer({ candidates: others, trials: [], spare: [], hopeless: false })
  }
  const clock = new HandClock()
  const told: string[] = []
  const reports: (AttemptReport & { readonly id: string })[] = []
  const begun: Begun[] = []
  const robin = createRoundRobin(() => 0)
  const balancer: Balancer = {
    ...robin,
    ended: ({ id }, report) => void reports.push({ id, ...report }),
  }
  const selection = new Selection({ balancer, panicThreshold: 0, changed() {}, trying() {} })
  selection.offer({ candidates: list, trials: [], spare: [], hopeless: false })
  const caller = new ServiceCalls({
    service: 'orders',
    clock,
    selection,
    requester: { send: () => Promise.reject(new Error('not used')), retain() {}, close() {} },
    ready: () => Promise.resolve(),
    tell: ({ id }, outcome) => {
      told.push(`${id} ${outcome}`)
      // As the driver does: what was told counts in a microtask.
      if (outcome !== 'success') queueMicrotask(() => failed(id))
    },
    none: () => new RegistryError('no_instances', 'none'),
  })
  function call(options: CallOptions<string> = {}) {
    const state: { answer?: string; error?: { code?: string; details?: unknown; cause?: unknown } } = {}
    const work = ({ id }: Instance, context: AttemptContext): Promise<string> =>
      new Promise((resolve, reject) => {
        const answer = (value: string): Promise<void> => (resolve(value), settle())
        const fail = (error: unknown): Promise<void> => (reject(error as Error), settle())
        begun.push({ id, ...context, answer, fail })
      })
    caller.call(work, options).then(
      (answer) => (state.answer = answer),
      (error: object) => (state.error = error),
    )
    return state
  }
  const ids = (): string => begun.map((item) => item.id).join('')
  return { clock, caller, call, begun, ids, told, reports, balancer }
}

describe('a call', () => {
  it('gives the answer, its latency to the balancer and the news to everybody', async () => {
    const { call, begun, clock, told, reports } = stage()
    const state = call()
    await settle()
    await clock.pass(7)
    await begun[0]!.answer('fine')
    expect(state).toEqual({ answer: 'fine' })
    expect(told).toEqual(['a success'])
    expect(reports).toEqual([{ id: 'a', outcome: 'success', latencyMs: 7, wasBegun: true }])
    expect(clock.timers.length).toBe(0)
  })

  it('repeats what was certainly not executed, and nothing else', async () => {
    const { call, begun, ids, told } = stage()
    const state = call()
    await settle()
    await begun[0]!.fail(failure('ECONNREFUSED'))
    await begun[1]!.fail(
      new Error('fetch failed', { cause: failure('EHOSTUNREACH', { syscall: 'connect' }) }),
    )
    await begun[2]!.fail(failure('ECONNRESET'))
    expect(ids()).toBe('abc')
    expect(state.error).toMatchObject({
      code: 'unreachable',
      cause: { code: 'ECONNRESET' },
      details: { tried: ['10.0.0.1:1', '10.0.0.1:2', '10.0.0.1:3'], phase: 'sent' },
    })
    expect(told).toEqual(['a unreachable', 'b unreachable', 'c unreachable'])
  })

  it('goes on to those who are called because everybody else has failed', async () => {
    const { call, begun, ids } = stage(LIST.slice(0, 2), LIST.slice(2))
    const state = call()
    await settle()
    await begun[0]!.fail(failure('ECONNREFUSED'))
    await begun[1]!.fail(failure('ECONNREFUSED'))
    await begun[2]!.answer('fine')
    expect([ids(), state.answer]).toEqual(['abc', 'fine'])
  })

  it('is over when it was aborted, also between two attempts', async () => {
    const { call, begun, ids } = stage()
    const controller = new AbortController()
    const judge = (): undefined => {
      controller.abort()
      return undefined
    }
    const state = call({ signal: controller.signal, judge })
    await settle()
    await begun[0]!.fail(failure('ECONNREFUSED'))
    expect([ids(), state.error]).toMatchObject(['a', { code: 'aborted' }])
  })

  it('repeats what may have been executed where its caller allows', async () => {
    const { call, begun, ids } = stage()
    const state = call({ idempotent: true })
    await settle()
    await begun[0]!.fail(failure('ECONNRESET'))
    await begun[1]!.answer('fine')
    expect([ids(), state.answer]).toEqual(['ab', 'fine'])
  })

  it('hands an error that is an answer to the caller, and holds it against no instance', async () => {
    const { call, begun, ids, told } = stage()
    const error = new Error('not found')
    const state = call({ idempotent: true })
    await settle()
    await begun[0]!.fail(error)
    expect([ids(), state.error === error, told]).toEqual(['a', true, []])
  })

  it('asks its own judge first', async () => {
    const { call, begun, told } = stage()
    const discarded: string[] = []
    const state = call({
      idempotent: true,
      judge: (end) =>
        end.ok && end.answer === 'busy' ? { outcome: 'failure', retry: 'idempotent' } : undefined,
      discard: (answer) => discarded.push(answer),
    })
    await settle()
    for (const one of [0, 1, 2]) await begun[one]!.answer('busy')
    expect(state.answer).toBe('busy')
    expect(discarded).toEqual(['busy', 'busy'])
    expect(told).toEqual(['a failure', 'b failure', 'c failure'])
  })

  it('is over when its caller says so: no instance is blamed and the attempt is aborted', async () => {
    const { call, begun, told, reports, clock } = stage()
    const controller = new AbortController()
    const state = call({ signal: controller.signal, tryTimeoutMs: 100, timeoutMs: 1_000 })
    await settle()
    controller.abort()
    await settle()
    expect(state.error?.code).toBe('aborted')
    expect(begun[0]!.signal.aborted).toBe(true)
    expect([told, reports.length, clock.timers.length]).toEqual([[], 1, 0])
  })

  it('is over when the client is: no instance is blamed', async () => {
    const { caller, call, begun, told, clock } = stage()
    const states = [call({ timeoutMs: 1_000 }), call({ signal: new AbortController().signal })]
    await settle()
    caller.end(new RegistryError('closed', 'the client was closed'))
    await settle()
    expect(states.map(({ error }) => error?.code)).toEqual(['closed', 'closed'])
    expect(begun.every(({ signal }) => signal.aborted)).toBe(true)
    expect([told, clock.timers.length]).toEqual([[], 0])
  })

  it('is over at its deadline, and says what is left of it', async () => {
    const { call, begun, told, clock } = stage()
    const state = call({ timeoutMs: 1_000, idempotent: true })
    await settle()
    await clock.pass(400)
    await begun[0]!.fail(failure('ECONNRESET'))
    expect(begun.map((item) => [item.attempt, item.timeoutMs])).toEqual([
      [1, 1_000],
      [2, 600],
    ])
    await clock.pass(600)
    expect(state.error?.code).toBe('timeout')
    expect(told).toEqual(['a unreachable', 'b timeout'])
  })

  it('ends with what its judge throws, and with nothing left over', async () => {
    const { call, begun, reports, clock } = stage()
    const error = new Error('judge')
    const judge = (): never => {
      throw error
    }
    const state = call({ judge, timeoutMs: 1_000, tryTimeoutMs: 100, idempotent: true, hedgeMs: 50 })
    await settle()
    await begun[0]!.answer('fine')
    expect(state.error).toBe(error)
    expect([reports.length, clock.timers.length]).toEqual([1, 0])
  })

  it('ends with what a balancer throws, whenever that is', async () => {
    const { call, begun, clock, balancer } = stage()
    const states = [call({ idempotent: true }), call({ idempotent: true, hedgeMs: 20 })]
    await settle()
    balancer.pick = () => {
      throw new Error('balancer')
    }
    await begun[0]!.fail(failure('ECONNRESET'))
    await clock.pass(20)
    for (const state of [...states, call()]) {
      await settle()
      expect(state.error).toMatchObject({ message: 'balancer' })
    }
    expect(clock.timers.length).toBe(0)
  })

  it('turns a throw of its work into a rejection', async () => {
    const { caller } = stage()
    const work = (): never => {
      throw new Error('at once')
    }
    await expect(caller.call(work, {})).rejects.toThrow('at once')
  })

  it.each([
    [{ timeoutMs: -1 }, 'timeoutMs'],
    [{ tryTimeoutMs: Number.NaN }, 'tryTimeoutMs'],
    [{ attempts: 0 }, 'attempts'],
    [{ hedgeMs: 'p42' as 'p90' }, 'hedgeMs'],
    [{ hedgeMs: Infinity }, 'hedgeMs'],
  ])('refuses %j', async (options, field) => {
    const { caller } = stage()
    await expect(caller.call(() => 'never', options)).rejects.toMatchObject({
      code: 'invalid_argument',
      field,
    })
  })

  it('says so when there is no instance', async () => {
    const { call } = stage([])
    const state = call()
    await settle()
    expect(state.error?.code).toBe('no_instances')
  })
})

describe('the time of one attempt', () => {
  it('ends the attempt, and the next has the same', async () => {
    const { call, begun, ids, told, clock } = stage()
    const state = call({ tryTimeoutMs: 50, idempotent: true, timeoutMs: 80 })
    await settle()
    await clock.pass(52)
    expect(begun[0]!.signal.aborted).toBe(true)
    expect(begun.map((item) => item.timeoutMs)).toEqual([50, 29])
    await begun[1]!.answer('fine')
    expect([ids(), state.answer, told]).toEqual(['ab', 'fine', ['a timeout', 'b success']])
  })

  it('is no reason to repeat what may have been executed', async () => {
    const { call, ids, clock } = stage()
    const state = call({ tryTimeoutMs: 50 })
    await settle()
    await clock.pass(60)
    expect([ids(), state.error?.code]).toEqual(['a', 'timeout'])
  })

  it('repeats what was still not sent by then', async () => {
    const { call, begun, ids, clock } = stage()
    call({ tryTimeoutMs: 50, judge: (end) => (end.ok ? undefined : { retry: 'always' }) })
    await settle()
    begun[0]!.signal.addEventListener('abort', () => void begun[0]!.fail(new Error('still connecting')))
    await clock.pass(50)
    expect(ids()).toBe('ab')
  })
})

describe('a hedge', () => {
  const hedged = { idempotent: true, hedgeMs: 20 }

  it('starts elsewhere after its delay; the first answer counts and the other attempt is aborted', async () => {
    const { call, begun, ids, clock, told, reports } = stage()
    const discarded: string[] = []
    const state = call({ ...hedged, discard: (answer) => discarded.push(answer) })
    await settle()
    await clock.pass(19)
    expect(ids()).toBe('a')
    await clock.pass(11)
    await begun[1]!.answer('second')
    expect([ids(), state.answer, told]).toEqual(['ab', 'second', ['b success']])
    expect(begun[0]!.signal.aborted).toBe(true)
    expect(reports.find((item) => item.id === 'a')).toEqual({
      id: 'a',
      outcome: undefined,
      latencyMs: 30,
      wasBegun: true,
    })
    await begun[0]!.answer('first')
    expect(discarded).toEqual(['first'])
  })

  it('is one of two that may bring the answer: the failure of the other is waited out', async () => {
    const { call, begun, clock } = stage()
    const state = call(hedged)
    await settle()
    await clock.pass(20)
    await begun[0]!.fail(failure('ECONNRESET'))
    expect(state).toEqual({})
    await begun[1]!.answer('second')
    expect(state.answer).toBe('second')
  })

  it('does not start for what is not idempotent, nor twice, nor where there is no other', async () => {
    const { call, ids, clock } = stage()
    call({ hedgeMs: 20 })
    await settle()
    await clock.pass(100)
    expect(ids()).toBe('a')
    const other = stage()
    other.call(hedged)
    await settle()
    await other.clock.pass(100)
    expect(other.ids()).toBe('ab')
    const alone = stage(LIST.slice(0, 1))
    alone.call(hedged)
    await settle()
    await alone.clock.pass(100)
    expect(alone.ids()).toBe('a')
  })

  it('counts as a retry', async () => {
    const { call, begun, clock } = stage()
    // A hundred are saved up, and a fifth of a retry comes with each call.
    for (let count = 0; count < 150; count += 1) call(hedged)
    await settle()
    await clock.pass(20)
    expect(begun).toHaveLength(150 + 100 + 30)
  })

  it('waits as long as the share of recent calls took that it names, once there are enough', async () => {
    const { call, begun, clock } = stage()
    const early = call({ idempotent: true, hedgeMs: 'p50' })
    await settle()
    await clock.pass(10_000)
    expect(begun).toHaveLength(1)
    await begun[0]!.answer('late')
    expect(early.answer).toBe('late')
    for (let took = 1; took <= 40; took += 1) {
      call()
      await settle()
      await clock.pass(took)
      await begun.at(-1)!.answer('fine')
    }
    const before = begun.length
    call({ idempotent: true, hedgeMs: 'p50' })
    await settle()
    await clock.pass(15)
    expect(begun.length).toBe(before + 1)
    await clock.pass(10)
    expect(begun.length).toBe(before + 2)
  })
})

describe('an attempt', () => {
  it('ends once, and says nothing without an outcome', async () => {
    const { caller, told, reports } = stage()
    const attempt = caller.begin(new Set([LIST[0]!]), undefined)!
    expect(attempt.instance.id).toBe('b')
    attempt.end()
    attempt.end('failure')
    expect([told, reports.length]).toEqual([[], 1])
  })
})
