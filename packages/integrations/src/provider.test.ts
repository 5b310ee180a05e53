/** The life of a registered server, with a fake client. */
import type { Server } from 'node:net'
import type { Registration, RegistrationState, RegisterOptions, Rollcall } from '@rollcall/client'
import { RegistryError } from '@rollcall/client'
import { describe, expect, it } from 'vitest'
import type { Timing } from './clock.js'
import type { ProviderOptions } from './provider.js'
import { createProvider } from './provider.js'

/** A registry that answers, or never does; what is asked of it, and every wait, is on record. */
function stage(options: Partial<ProviderOptions> = {}, silent = false) {
  const told: string[] = []
  let state: RegistrationState = 'pending'
  const answer = (word: string, next: RegistrationState, signal?: AbortSignal): Promise<void> => {
    told.push(word)
    if (!silent) {
      state = next
      return Promise.resolve()
    }
    return new Promise((_, reject) => {
      const end = (): void => reject(new RegistryError('aborted', 'the operation was aborted'))
      if (signal?.aborted === true) end()
      else signal?.addEventListener('abort', end)
    })
  }
  const registration = {
    get state() {
      return state
    },
    setState: (wanted: 'up', { signal }: { readonly signal?: AbortSignal } = {}) =>
      answer(wanted, wanted, signal),
    drain: ({ signal }: { readonly signal?: AbortSignal } = {}) => answer('drain', 'draining', signal),
    deregister: ({ signal }: { readonly signal?: AbortSignal } = {}) =>
      answer('deregister', 'deregistered', signal),
  } as unknown as Registration
  const client = {
    service: () => undefined,
    register: (wanted: RegisterOptions) => {
      told.push(`register ${wanted.port} ${wanted.state}`)
      if (wanted.service === 'refused') return Promise.reject(new RegistryError('invalid_argument', 'no'))
      if (!silent) state = wanted.state ?? 'up'
      return Promise.resolve(registration)
    },
    close: () => Promise.resolve(void told.push('close')),
  } as unknown as Rollcall
  const timing: Timing = {
    now: () => 0,
    sleep: (delayMs) => Promise.resolve(void told.push(`sleep ${delayMs}`)),
    deadline: (delayMs) => {
      if (silent) told.push(`at most ${delayMs}`)
      return silent ? AbortSignal.abort() : new AbortController().signal
    },
  }
  return { told, provider: createProvider({ service: 'orders', client, ...options }, timing) }
}

/** A server that listens on this port. */
const at = (port: number): Pick<Server, 'address'> => ({
  address: () => ({ address: '127.0.0.1', family: 'IPv4', port }),
})

describe('a server', () => {
  it('is up at once, and leaves before it stops', async () => {
    const { told, provider } = stage()
    const server = await provider
    const registration = await server.listening(at(3000))
    expect(await server.registered).toBe(registration)
    await server.end()
    await server.leave()
    // The client is the application's own: it stays open.
    expect(told).toEqual(['register 3000 up', 'drain', 'sleep 1000', 'deregister'])
  })

  it('is starting until it is ready, on the port that others reach', async () => {
    let ready = (): void => {}
    const { told, provider } = stage({
      port: 80,
      ready: () => new Promise<void>((resolve) => (ready = resolve)),
    })
    const server = await provider
    const listening = server.listening(at(3000))
    await Promise.resolve()
    expect(told).toEqual(['register 80 starting'])
    ready()
    expect((await listening).state).toBe('up')
  })

  it('is taken back when it does not get ready', async () => {
    const { told, provider } = stage({ ready: () => Promise.reject(new Error('no database')) })
    const server = await provider
    await expect(server.listening(at(3000))).rejects.toThrow('no database')
    await expect(server.registered).rejects.toThrow('no database')
    await server.leave()
    expect(told).toEqual(['register 3000 starting', 'deregister'])
  })

  it('is taken back when it is closed before it is ready, whatever that waits for', async () => {
    const { told, provider } = stage({ ready: () => new Promise(() => {}) })
    const server = await provider
    const listening = server.listening(at(3000))
    listening.catch(() => {})
    await Promise.resolve()
    await server.leave()
    await expect(listening).rejects.toThrow()
    expect(told).toEqual(['register 3000 starting', 'deregister'])
  })

  it('is nothing to leave when it was refused, or never listened', async () => {
    const refused = stage({ service: 'refused' })
    await expect((await refused.provider).listening(at(3000))).rejects.toMatchObject({
      code: 'invalid_argument',
    })
    await (await refused.provider).leave()
    expect(refused.told).toEqual(['register 3000 up'])
    const unused = stage()
    await (await unused.provider).end()
    expect(unused.told).toEqual([])
  })
})

describe('without a registry', () => {
  it('serves as pending, and does not wait at the end', async () => {
    const { told, provider } = stage({ ready: () => {} }, true)
    const server = await provider
    expect((await server.listening(at(3000))).state).toBe('pending')
    await server.leave()
    expect(told).toEqual([
      'register 3000 starting',
      'up',
      'at most 1000',
      'drain',
      'at most 1000',
      'deregister',
    ])
  })
})
