/** The prober over fake sockets and timers: outcomes, host names, bounds. */
import { NO_LOGGER, NO_METER } from '@rollcall/core'
import type { ProbeRequest } from '@rollcall/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createSystemClock } from '../clock.js'
import { setUp } from './prober.fixture.js'
import type { Lookup } from './resolver.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the outcome of a probe', () => {
  it.each([
    ['ECONNREFUSED', 'refused'],
    ['ETIMEDOUT', 'failed'],
    ['EHOSTUNREACH', 'failed'],
    ['ECONNRESET', 'failed'],
    ['EMFILE', 'unable'],
    ['EADDRNOTAVAIL', 'unable'],
  ] as const)('%s is %s', (code, expected) => {
    const { probe, sockets, outcomes } = setUp()
    probe()
    vi.advanceTimersByTime(1)
    expect(sockets.map((socket) => socket.target)).toEqual([{ host: '10.0.0.5', port: 3000 }])
    sockets[0]?.fail(code)
    expect(outcomes).toEqual([['a', expected]])
    expect(sockets[0]?.destroyed).toBe(true)
  })

  it('is succeeded on connect, once, and a late error changes nothing', () => {
    const { probe, sockets, outcomes } = setUp()
    probe()
    vi.advanceTimersByTime(1)
    sockets[0]?.emit('connect')
    sockets[0]?.fail('ECONNREFUSED')
    vi.advanceTimersByTime(5_000)
    expect(outcomes).toEqual([['a', 'succeeded']])
    expect(sockets[0]?.destroyed).toBe(true)
  })

  it('is refused when the kernel connected the socket to itself', () => {
    const { probe, sockets, outcomes } = setUp()
    probe()
    vi.advanceTimersByTime(1)
    Object.assign(sockets[0] ?? {}, {
      localPort: 3000,
      remotePort: 3000,
      localAddress: '10.0.0.5',
      remoteAddress: '10.0.0.5',
    })
    sockets[0]?.emit('connect')
    expect(outcomes).toEqual([['a', 'refused']])
  })

  it('is failed at the timeout, which counts from the attempt', () => {
    const { probe, sockets, outcomes } = setUp()
    probe({ delayMs: 500, timeoutMs: 300 })
    vi.advanceTimersByTime(499)
    expect(sockets).toHaveLength(0)
    vi.advanceTimersByTime(1)
    expect(sockets).toHaveLength(1)
    vi.advanceTimersByTime(299)
    expect(outcomes).toEqual([])
    vi.advanceTimersByTime(1)
    expect(outcomes).toEqual([['a', 'failed']])
    expect(sockets[0]?.destroyed).toBe(true)
  })

  it('waits for the sockets to be read when the timeout itself came late', () => {
    const real = createSystemClock()
    let stalledMs = 0
    const { probe, sockets, outcomes } = setUp({}, { clock: { ...real, now: () => real.now() + stalledMs } })
    probe({ timeoutMs: 300 })
    vi.advanceTimersByTime(1)
    stalledMs = 2_000
    vi.advanceTimersByTime(300)
    expect(outcomes).toEqual([])
    sockets[0]?.emit('connect')
    expect(outcomes).toEqual([['a', 'succeeded']])
    vi.advanceTimersByTime(1_000)
    expect(outcomes).toHaveLength(1)
  })

  it('never comes before probe() returns, also when nothing is asked', async () => {
    const { probe, sockets, outcomes } = setUp()
    probe({ id: 'none', type: 'none' })
    probe({ id: 'of a later release', type: 'pigeon' as never })
    probe({ id: 'elsewhere', host: '10.0.0.6' })
    expect(outcomes).toEqual([])
    await Promise.resolve()
    expect(outcomes).toEqual([
      ['none', 'skipped'],
      ['of a later release', 'skipped'],
      ['elsewhere', 'skipped'],
    ])
    vi.advanceTimersByTime(10)
    expect(sockets).toHaveLength(0)
  })

  it.each(['http', 'grpc'] as const)(
    'of type %s needs more than a connection, but is refused as by TCP',
    (type) => {
      const { probe, sockets, outcomes } = setUp()
      probe({ type })
      probe({ id: 'b', type })
      vi.advanceTimersByTime(1)
      sockets[0]?.fail('ECONNREFUSED')
      expect(outcomes).toEqual([['a', 'refused']])
      sockets[1]?.emit('connect')
      expect(outcomes).toHaveLength(1)
      vi.advanceTimersByTime(1_000)
      expect(outcomes[1]).toEqual(['b', 'failed'])
      expect(sockets.every((socket) => socket.destroyed)).toBe(true)
    },
  )

  it('over TLS says nothing before the handshake', async () => {
    const { probe, sockets, outcomes } = setUp()
    probe({ type: 'http', tls: true, headers: { 'x-token': 'secret' } })
    probe({ id: 'b', type: 'http', tls: true, headers: { 'x-token': 'secret' } })
    vi.advanceTimersByTime(1)
    const [stranger, friend] = sockets
    expect(stranger?.target.tls).toEqual({ rejectUnauthorized: true, ALPNProtocols: ['http/1.1'] })
    for (const socket of sockets) socket.emit('connect')
    await vi.advanceTimersByTimeAsync(10)
    stranger?.fail('CERT_HAS_EXPIRED')
    expect(stranger?.written).toBe('')
    expect(outcomes).toEqual([['a', 'failed']])
    friend?.emit('secureConnect')
    await vi.advanceTimersByTimeAsync(10)
    expect(friend?.written).toContain('x-token: secret')
    expect(outcomes).toHaveLength(1)
  })

  it('over TLS is asked by name, whatever the address', () => {
    const { probe, sockets } = setUp({}, { lookup: (_host, callback) => callback(['10.0.0.5']) })
    const ways: Partial<ProbeRequest>[] = [
      { type: 'grpc', host: 'orders.example', tls: { insecure: true } },
      { type: 'grpc', tls: { serverName: 'orders.example' } },
      { type: 'http', host: 'orders.example', tls: false },
    ]
    for (const way of ways) {
      probe(way)
      vi.advanceTimersByTime(1)
    }
    expect(sockets.map((socket) => socket.target)).toEqual([
      {
        host: '10.0.0.5',
        port: 3000,
        tls: { servername: 'orders.example', rejectUnauthorized: false, ALPNProtocols: ['h2'] },
      },
      {
        host: '10.0.0.5',
        port: 3000,
        tls: { servername: 'orders.example', rejectUnauthorized: true, ALPNProtocols: ['h2'] },
      },
      { host: '10.0.0.5', port: 3000 },
    ])
  })

  it('is failed, and the node goes on, when a connection cannot even be tried', () => {
    const { probe, outcomes } = setUp(
      {},
      {
        connect() {
          throw Object.assign(new TypeError('no'), { code: 'ERR_INVALID_ARG_VALUE' })
        },
      },
    )
    probe()
    vi.advanceTimersByTime(1)
    expect(outcomes).toEqual([['a', 'failed']])
  })

  it('says why', () => {
    const debug = vi.fn()
    const { prober, probe, sockets } = setUp({}, { logger: { ...NO_LOGGER, debug } })
    probe({ type: 'http' })
    vi.advanceTimersByTime(1)
    sockets[0]?.fail('ECONNRESET')
    const key = { namespace: 'default', service: 'orders', group: 'default', id: 'a' }
    expect(debug.mock.calls).toEqual([
      [{ ...key, type: 'http', purpose: 'evidence', cause: 'ECONNRESET' }, 'probe failed'],
    ])
    prober.close()
  })
})

describe('host names', () => {
  const answering = (addresses: readonly string[]): Lookup => {
    return (_host, callback) => void setTimeout(() => callback(addresses), 10)
  }

  it('connects to the address that was judged', () => {
    const { probe, sockets } = setUp({}, { lookup: answering(['192.0.2.9', '10.0.0.5']) })
    probe({ host: 'orders.example' })
    vi.advanceTimersByTime(11)
    expect(sockets.map((socket) => socket.target.host)).toEqual(['10.0.0.5'])
  })

  it('skips names that lead elsewhere, and fails unknown ones', () => {
    const elsewhere = setUp({}, { lookup: answering(['169.254.169.254']) })
    elsewhere.probe({ host: 'orders.example' })
    const unknown = setUp({}, { lookup: answering([]) })
    unknown.probe({ host: 'orders.example' })
    vi.advanceTimersByTime(11)
    expect(elsewhere.outcomes).toEqual([['a', 'skipped']])
    expect(elsewhere.sockets).toHaveLength(0)
    expect(unknown.outcomes).toEqual([['a', 'failed']])
  })

  it('believes a refusal only when every address refused', () => {
    const { probe, sockets, outcomes } = setUp({}, { lookup: answering(['::1', '127.0.0.1']) })
    probe({ host: 'localhost', peer: '127.0.0.1' })
    vi.advanceTimersByTime(11)
    sockets[0]?.fail('ECONNREFUSED')
    expect(outcomes).toEqual([])
    sockets[1]?.emit('connect')
    expect(outcomes).toEqual([['a', 'succeeded']])

    probe({ id: 'b', host: 'localhost', peer: '127.0.0.1' })
    vi.advanceTimersByTime(11)
    sockets[2]?.fail('EADDRNOTAVAIL')
    sockets[3]?.fail('ECONNREFUSED')
    expect(outcomes[1]).toEqual(['b', 'refused'])

    probe({ id: 'c', host: 'localhost', peer: '127.0.0.1' })
    vi.advanceTimersByTime(11)
    sockets[4]?.fail('ECONNREFUSED')
    sockets[5]?.fail('EHOSTUNREACH')
    expect(outcomes[2]).toEqual(['c', 'failed'])
  })

  it('fails in time when the resolver does not answer', () => {
    const { probe, outcomes } = setUp({}, { lookup: () => {} })
    probe({ host: 'orders.example', timeoutMs: 400 })
    vi.advanceTimersByTime(401)
    expect(outcomes).toEqual([['a', 'failed']])
  })
})

describe('many probes', () => {
  it('makes at most so many attempts at a time and goes on as they end', () => {
    const { probe, sockets, outcomes } = setUp({ concurrencyMax: 4 })
    for (let n = 0; n < 1_000; n++) probe({ id: `i${n}`, timeoutMs: 10 })
    vi.advanceTimersByTime(1)
    let open = sockets.filter((socket) => !socket.destroyed).length
    expect(open).toBe(4)
    while (outcomes.length < 1_000) {
      vi.advanceTimersByTime(10)
      open = sockets.filter((socket) => !socket.destroyed).length
      expect(open).toBeLessThanOrEqual(4)
    }
    expect(outcomes.every(([, outcome]) => outcome === 'failed')).toBe(true)
    expect(sockets.every((socket) => socket.destroyed)).toBe(true)
  })

  it('asks for evidence before baselines, though the baselines came first', () => {
    const { probe, sockets } = setUp({ concurrencyMax: 1 })
    for (let n = 0; n < 3; n++) probe({ purpose: 'baseline', port: 1_000 + n })
    vi.advanceTimersByTime(100)
    probe({ purpose: 'evidence', port: 2_000 })
    sockets[0]?.emit('connect')
    vi.advanceTimersByTime(1)
    expect(sockets[1]?.target.port).toBe(2_000)
  })

  it('spreads baselines by chance and never starts them early', () => {
    const fractions = [0, 0.25, 0.999]
    const random = { fraction: () => fractions.shift() ?? 0 }
    const { probe, sockets } = setUp({}, { random })
    for (let n = 0; n < 3; n++) probe({ purpose: 'baseline', delayMs: 1_000 })
    vi.advanceTimersByTime(999)
    expect(sockets).toHaveLength(0)
    vi.advanceTimersByTime(1)
    expect(sockets).toHaveLength(1)
    vi.advanceTimersByTime(50)
    expect(sockets).toHaveLength(2)
    vi.advanceTimersByTime(150)
    expect(sockets).toHaveLength(3)
  })

  it('answers unable for what does not fit, baselines first, and says so once', async () => {
    const warn = vi.fn()
    const { probe, outcomes } = setUp({ queueMax: 2 }, { logger: { ...NO_LOGGER, warn } })
    probe({ id: 'baseline', purpose: 'baseline' })
    probe({ id: 'first' })
    probe({ id: 'second' })
    probe({ id: 'third' })
    await Promise.resolve()
    expect(outcomes).toEqual([
      ['baseline', 'unable'],
      ['third', 'unable'],
    ])
    expect(warn.mock.calls).toEqual([[{ cause: 'queue full', probes: 1 }, 'probes not made']])
  })

  it('begins few in one turn of the event loop, also when many end at once', () => {
    const { probe, sockets } = setUp({ concurrencyMax: 1_000 })
    for (let n = 0; n < 2_000; n++) probe({ id: `i${n}`, timeoutMs: 100 })
    let before = 0
    let most = 0
    while (before < 2_000) {
      vi.advanceTimersToNextTimer()
      most = Math.max(most, sockets.length - before)
      before = sockets.length
    }
    expect(most).toBe(64)
  })

  it('says once why this node could not ask', () => {
    const warn = vi.fn()
    const { probe, sockets, outcomes } = setUp({}, { logger: { ...NO_LOGGER, warn } })
    probe({ type: 'http' })
    probe({ id: 'b' })
    vi.advanceTimersByTime(1)
    for (const socket of sockets) socket.fail('EMFILE')
    expect(outcomes).toEqual([
      ['a', 'unable'],
      ['b', 'unable'],
    ])
    expect(warn.mock.calls).toEqual([[{ cause: 'EMFILE', probes: 1 }, 'probes not made']])
  })

  it('counts outcomes', () => {
    const count = vi.fn()
    const { probe, sockets } = setUp({}, { meter: { ...NO_METER, count } })
    probe()
    vi.advanceTimersByTime(1)
    sockets[0]?.fail('ECONNREFUSED')
    expect(count.mock.calls).toEqual([['rollcall_probes_total', 1, 'refused']])
  })
})

describe('close', () => {
  it('destroys every socket, answers nothing more and may be called twice', async () => {
    const { prober, probe, sockets, outcomes } = setUp({ concurrencyMax: 1 })
    probe({ id: 'running' })
    vi.advanceTimersByTime(1)
    probe({ id: 'waiting' })
    probe({ id: 'skipped', type: 'none' })
    prober.close()
    prober.close()
    probe({ id: 'late' })
    await Promise.resolve()
    vi.advanceTimersByTime(10_000)
    expect(sockets.map((socket) => socket.destroyed)).toEqual([true])
    expect(outcomes).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })
})
