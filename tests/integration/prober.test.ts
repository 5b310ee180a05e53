/** Probes over real sockets: outcomes, black holes, a lost rack. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { closedPort, listen, setUp, stoppedProcess } from './prober.fixture.js'

describe('probes over real sockets', () => {
  it('tell who accepts from who refuses, by address and by name', async () => {
    const { probe, sockets } = setUp()
    const port = await listen(createServer((socket) => socket.destroy()))
    const refusing = await closedPort()
    expect(await probe({ port })).toBe('succeeded')
    expect(await probe({ port: refusing })).toBe('refused')
    expect(await probe({ port, host: 'localhost' })).toBe('succeeded')
    expect(await probe({ port: refusing, host: 'localhost' })).toBe('refused')
    expect(await probe({ port, host: 'absent.invalid', timeoutMs: 5_000 })).toBe('failed')
    expect(sockets.every((socket) => socket.destroyed)).toBe(true)
  })

  it('see a process that dies between two probes', async () => {
    const { probe } = setUp()
    const server = createServer((socket) => socket.destroy())
    const port = await listen(server)
    expect(await probe({ port, purpose: 'baseline' })).toBe('succeeded')
    await new Promise((resolve) => server.close(resolve))
    expect(await probe({ port })).toBe('refused')
  })

  it('leave the other side with closed connections only', async () => {
    const { probe } = setUp({ concurrencyMax: 16 })
    let opened = 0
    let closed = 0
    const port = await listen(
      createServer((socket) => {
        opened++
        socket.resume()
        socket.on('error', () => {})
        socket.on('close', () => closed++)
      }),
    )
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => probe({ port })))
    expect(outcomes.filter((outcome) => outcome === 'succeeded')).toHaveLength(200)
    await expect.poll(() => [opened, closed]).toEqual([200, 200])
  })

  it('do not pile up on a black hole, and hold nothing afterwards', async () => {
    const { probe, sockets } = setUp({ concurrencyMax: 50 })
    const port = await stoppedProcess(1)
    let openMax = 0
    const outcomes = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const outcome = await probe({ port, timeoutMs: 100 })
        openMax = Math.max(openMax, sockets.filter((socket) => !socket.destroyed).length)
        return outcome
      }),
    )
    expect(outcomes).not.toContain('refused')
    // The few that fit into the backlog: a bare TCP success proves a kernel, not a process.
    expect(outcomes.filter((outcome) => outcome === 'failed').length).toBeGreaterThan(150)
    expect(openMax).toBeLessThanOrEqual(50)
    expect(sockets.filter((socket) => !socket.destroyed)).toEqual([])
  })

  it('are done with a lost rack of 5,000 in three timeouts, and leave the event loop to the beats', async () => {
    const { probe, sockets } = setUp()
    const port = await stoppedProcess(1)
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    const began = performance.now()
    let openMax = 0
    const watching = setInterval(() => {
      openMax = Math.max(openMax, sockets.filter((socket) => !socket.destroyed).length)
    }, 50)
    const outcomes = await Promise.all(Array.from({ length: 5_000 }, () => probe({ port, timeoutMs: 1_000 })))
    clearInterval(watching)
    const tookMs = performance.now() - began
    delay.disable()
    expect(outcomes.filter((outcome) => outcome === 'failed').length).toBeGreaterThan(4_900)
    expect(outcomes).not.toContain('unable')
    expect(openMax).toBeGreaterThan(1_500)
    expect(openMax).toBeLessThanOrEqual(2_048)
    // Three timeouts of 1 s, and as much again for a machine that has other things to do.
    expect(tookMs).toBeLessThan(6_000)
    expect(delay.percentile(99) / 1e6).toBeLessThan(500)
  })

  it('connect nowhere when the address rule says no', async () => {
    const { probe, sockets } = setUp()
    const port = await listen(createServer((socket) => socket.destroy()))
    expect(await probe({ port, peer: '192.0.2.1' })).toBe('skipped')
    expect(await probe({ port, host: 'localhost', peer: '192.0.2.1' })).toBe('skipped')
    expect(sockets).toEqual([])
  })
})
