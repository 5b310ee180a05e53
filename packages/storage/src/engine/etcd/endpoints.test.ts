/** What a call says when no member answers in its time. */
import { HandClock } from '@rollcall/testkit/time'
import { NO_LOGGER } from '@rollcall/core'
import { describe, expect, it } from 'vitest'
import { createEtcdEngine } from './engine.js'
import { CHARTER, pass, PREFIX, ScriptedEtcd } from './scripted-etcd.fixture.js'
import { RPC, RpcError } from './transport.js'

describe('an etcd that refuses connections', () => {
  it.each([0, 0.2, 0.4, 0.6, 0.8, 0.99])('is told of as such, whatever the waits (%s)', async (chance) => {
    const clock = new HandClock(1_000)
    const etcd = new ScriptedEtcd(clock)
    // As a socket: it takes a moment to be refused, and a call that has less time than that is only late.
    etcd.script = ({ timeoutMs }) =>
      timeoutMs < 100 ? 'silence' : new RpcError(RPC.unavailable, 'http://a:1: ECONNREFUSED')
    const engine = createEtcdEngine(
      // Timers are early by a fraction of a millisecond at times.
      { clock: earlyBy(0.5, clock), random: () => chance, logger: NO_LOGGER, transport: etcd },
      { endpoints: ['http://a:1'], prefix: PREFIX },
    )
    const joined = engine.join(CHARTER).catch((error: unknown) => error)
    await pass(clock, 10_000)
    expect(await joined).toMatchObject({ failure: 'unavailable', message: 'http://a:1: ECONNREFUSED' })
  })
})

function earlyBy(ms: number, clock: HandClock): Pick<HandClock, 'now' | 'setTimer' | 'wallNow'> {
  return {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    setTimer: (after, fire) => clock.setTimer(Math.max(0, after - ms), fire),
  }
}
