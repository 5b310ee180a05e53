/** The handle of a service. */
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { Instance } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { createRoundRobin } from './balancers/round-robin.js'
import type { RequestFailure } from './calls/requester.js'
import type { Driver } from './shell/driver.js'
import type { ClientEvent } from './machine/events.js'
import { instance } from './clusters/stage.fixture.js'
import { ServiceWatch } from './service.js'
import type { WarmUpHook } from './start-up/warm-up.js'
import { createWarmUps } from './start-up/warm-up.js'

const [A, B, C] = ['a', 'b', 'c'].map((id, n) => instance(id, { port: n + 1 })) as [
  Instance,
  Instance,
  Instance,
]
const REFUSED: RequestFailure = { phase: 'connect', reused: false, error: new Error('ECONNREFUSED') }

/** A handle on its own: what it tells the machine is on record, and calls end as the script says. */
function setUp(
  outcome: (called: Instance) => RequestFailure | number = () => 200,
  warmup: WarmUpHook | false = false,
) {
  const told: string[] = []
  const called: string[] = []
  let now = 0
  const driver: Driver = {
    dispatch: (event: ClientEvent) => {
      if (!('instance' in event)) return
      told.push([event.type, event.instance.id, 'kind' in event ? event.kind : ''].join(' ').trim())
    },
    call: () => Promise.resolve(),
    status: () => ({ connection: { state: 'closed' }, clusters: [], services: [], registrations: 0 }),
    serviceStatus: () => undefined,
    origins: () => [],
    localAddress: () => undefined,
  }
  const requester = {
    send({ instance: to }: { readonly instance: Instance }) {
      called.push(to.id)
      const result = outcome(to)
      if (typeof result !== 'number') return Promise.resolve(result)
      const answer = { statusCode: result, statusMessage: '', rawHeaders: [] }
      return Promise.resolve(Object.assign(Readable.from([]), answer) as unknown as IncomingMessage)
    },
    retain() {},
    close() {},
  }
  const clock = { now: () => now, wallNow: () => now, setTimer: () => () => {}, soon: queueMicrotask }
  const warmUps = createWarmUps({ clock, random: () => 0 }, {})
  const service = new ServiceWatch(
    {
      driver,
      balancer: createRoundRobin(() => 0),
      panicThreshold: 0,
      requester,
      clock,
      warmUps,
      warmup,
      registrations: () => [],
    },
    'default\norders',
    { namespace: 'default', service: 'orders' },
  )
  const codes = async (calls: number): Promise<Record<string, number>> => {
    const counts: Record<string, number> = {}
    for (let call = 0; call < calls; call += 1) {
      const result = await service.fetch('/', { method: 'POST' }).then(
        (response) => String(response.status),
        (error: { code: string }) => error.code,
      )
      counts[result] = (counts[result] ?? 0) + 1
    }
    return counts
  }
  return { service, told, called, codes, pass: (ms: number) => (now += ms) }
}

const picks = (service: ServiceWatch, n: number): string[] =>
  Array.from({ length: n }, () => service.pick().id)

describe('pick and report', () => {
  it('hands out an instance on trial once', () => {
    const { service, told } = setUp()
    service.offer({ candidates: [A, B, C], trials: [B], spare: [], hopeless: false })
    expect(picks(service, 6).filter((id) => id === 'b')).toEqual(['b'])
    expect(told).toEqual(['trying b'])
    service.offer({ candidates: [A, B, C], trials: [], spare: [], hopeless: false })
    expect(picks(service, 6).sort().join('')).toBe('aabbcc')
    expect(told).toHaveLength(1)
  })

  it('hands out each of several on trial once', () => {
    const { service, told } = setUp()
    service.offer({ candidates: [A, B, C], trials: [A, B], spare: [], hopeless: false })
    expect(picks(service, 8).sort().join('')).toBe('abcccccc')
    expect(told.sort()).toEqual(['trying a', 'trying b'])
  })

  it('tells how calls ended, until it is closed', () => {
    const { service, told } = setUp()
    for (const outcome of ['success', 'unreachable', 'timeout', 'failure'] as const)
      service.report(A, outcome)
    service.close()
    service.report(A, 'failure')
    expect(told).toEqual(['succeeded a', 'failed a unreachable', 'failed a timeout', 'failed a failure'])
  })
})

describe('fetch', () => {
  it('gives one call to an instance on trial, and goes elsewhere when that fails', async () => {
    const { service, told, called } = setUp((to) => (to === B ? REFUSED : 200))
    service.offer({ candidates: [A, B], trials: [B], spare: [], hopeless: false })
    for (let call = 0; call < 4; call += 1) expect((await service.fetch('/')).status).toBe(200)
    expect(called.filter((id) => id === 'b')).toHaveLength(1)
    expect(told.filter((line) => line.endsWith('b') || line.includes('b '))).toEqual([
      'trying b',
      'failed b unreachable',
    ])
  })

  it('does not give a trial to a call that tried the instance already', async () => {
    const { service, told } = setUp(() => REFUSED)
    service.offer({ candidates: [A, B], trials: [B], spare: [], hopeless: false })
    await service.fetch('/').catch(() => {})
    expect(told.filter((line) => line === 'trying b')).toHaveLength(1)
  })

  it('stops repeating calls when everybody refuses', async () => {
    const { service, called, codes, pass } = setUp(() => REFUSED)
    service.offer({ candidates: [A, B, C], trials: [], spare: [], hopeless: false })
    expect(await codes(200)).toEqual({ unreachable: 200 })
    // 200 first attempts, and a hundred saved up and a fifth of the calls on top.
    expect(called.length).toBeGreaterThan(330)
    expect(called.length).toBeLessThanOrEqual(340)
    const before = called.length
    pass(1_000)
    await codes(100)
    expect(called.length - before).toBeLessThanOrEqual(131)
  })

  it('lets ten calls a second through to a service that is hopeless, and fails the others at once', async () => {
    const { service, called, codes, pass } = setUp(() => REFUSED)
    service.offer({ candidates: [A], trials: [], spare: [], hopeless: true })
    expect(await codes(1_000)).toEqual({ unreachable: 1_000 })
    expect(called).toHaveLength(10)
    pass(500)
    await codes(1_000)
    expect(called).toHaveLength(15)
    await expect(service.fetch('/')).rejects.toMatchObject({
      code: 'unreachable',
      details: { limited: true, failing: ['10.0.0.1:1'] },
    })
    service.offer({ candidates: [A], trials: [], spare: [], hopeless: false })
    await codes(3)
    expect(called).toHaveLength(18)
    pass(1_000)
    service.offer({ candidates: [A, B, C], trials: [], spare: [], hopeless: true })
    await codes(100)
    expect(called).toHaveLength(28)
  })

  it('says which are there when none can be called', async () => {
    const { service } = setUp()
    const list = [instance('x', { state: 'down' })]
    service.changed({
      type: 'view',
      source: 'registry',
      sign: '',
      instances: list,
      upserts: list,
      removes: [],
    })
    await expect(service.fetch('/')).rejects.toMatchObject({
      code: 'no_instances',
      details: { states: { down: 1 } },
    })
    expect(() => service.pick()).toThrow(expect.objectContaining({ code: 'no_instances' }))
  })
})

describe('candidates', () => {
  it('are those of pick, and a listener hears of changes once they are complete', async () => {
    const { service } = setUp()
    const seen: string[][] = []
    const look = (): void => void seen.push(service.candidates().map(({ id }) => id))
    const stop = service.onCandidates(look)
    service.onCandidates(look)()
    service.offer({ candidates: [A], trials: [], spare: [], hopeless: false })
    service.offer({ candidates: [A, B], trials: [], spare: [], hopeless: false })
    expect(seen).toEqual([])
    await settled()
    expect(seen).toEqual([['a', 'b']])
    service.offer({ candidates: [C], trials: [], spare: [], hopeless: false })
    stop()
    await settled()
    expect(seen).toHaveLength(1)
  })

  it('are none after the end, and no listener is told', async () => {
    const { service } = setUp()
    let calls = 0
    service.onCandidates(() => (calls += 1))
    service.offer({ candidates: [A], trials: [], spare: [], hopeless: false })
    service.close()
    await settled()
    expect([service.candidates(), calls]).toEqual([[], 0])
  })
})

/** Lets microtasks run that were queued by microtasks. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve()
}

describe('ready', () => {
  it('warms up once, and tells who failed before it resolves', async () => {
    const warmed: string[] = []
    const { service, told } = setUp(undefined, ({ id }) => {
      warmed.push(id)
      return id === 'b' ? Promise.reject(new Error('no')) : Promise.resolve()
    })
    service.offer({ candidates: [A, B, C], trials: [], spare: [], hopeless: false })
    await service.ready()
    await service.ready()
    expect(warmed).toEqual(['a', 'b', 'c'])
    expect(told).toEqual(['failed b unreachable'])
  })

  it('stops waiting for a warm-up when it is aborted', async () => {
    const { service } = setUp(undefined, () => new Promise(() => {}))
    service.offer({ candidates: [A], trials: [], spare: [], hopeless: false })
    const controller = new AbortController()
    const waiting = service.ready({ signal: controller.signal })
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' })
  })

  it('is not part of a call', async () => {
    const { service } = setUp(undefined, () => new Promise(() => {}))
    service.offer({ candidates: [A], trials: [], spare: [], hopeless: false })
    expect((await service.fetch('/')).status).toBe(200)
  })
})
