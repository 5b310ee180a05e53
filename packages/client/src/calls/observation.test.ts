/** What follows a call from outside. */
import type { Instance } from '@rollcall/wire'
import { RegistryError } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { createRoundRobin } from '../balancers/round-robin.js'
import { HandClock } from '@rollcall/testkit/time'
import { instance } from '../clusters/stage.fixture.js'
import { Selection } from './selection.js'
import type { CallOptions, Work } from './call.js'
import { ServiceCalls } from './caller.js'
import type { CallObservation } from './observation.js'

/** Calls to two instances, with everything an observer is told. */
function stage() {
  const seen: string[] = []
  const observation: CallObservation = {
    attempt({ instance: { id }, attempt }) {
      seen.push(`begin ${id} ${attempt}`)
      return {
        headers: { 'x-attempt': String(attempt) },
        run(work) {
          seen.push(`run ${id}`)
          return work()
        },
        end: (outcome, error) => void seen.push(`end ${id} ${outcome} ${(error as Error)?.message}`),
      }
    },
    end: (error) => void seen.push(`over ${(error as RegistryError | undefined)?.code}`),
  }
  const selection = new Selection({
    balancer: createRoundRobin(() => 0),
    panicThreshold: 0,
    changed() {},
    trying() {},
  })
  const candidates = [instance('a', { port: 1 }), instance('b', { port: 2 })]
  selection.offer({ candidates, trials: [], spare: [], hopeless: false })
  const caller = new ServiceCalls({
    service: 'orders',
    clock: new HandClock(),
    selection,
    requester: { send: () => Promise.reject(new Error('not used')), retain() {}, close() {} },
    ready: () => Promise.resolve(),
    tell: () => {},
    none: () => new RegistryError('no_instances', 'none'),
    picked: ({ id }: Instance) => void seen.push(`picked ${id}`),
    observe: () => observation,
  })
  const call = <T>(work: Work<T>, options: CallOptions<T> = {}): Promise<T> => caller.call(work, options)
  return { seen, call }
}

const refused = (): Error => Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })

describe('an observed call', () => {
  it('tells each attempt, carries it out within, and hands its headers on', async () => {
    const { seen, call } = stage()
    const work: Work<string> = ({ id }, { headers }) => {
      if (id === 'a') throw refused()
      return `${id} ${headers['x-attempt']}`
    }
    expect(await call(work)).toBe('b 2')
    expect(seen).toEqual([
      'picked a',
      'begin a 1',
      'run a',
      'end a unreachable refused',
      'picked b',
      'begin b 2',
      'run b',
      'end b success undefined',
      'over undefined',
    ])
  })

  it('ends once, with its attempts, when the call no longer waits', async () => {
    const { seen, call } = stage()
    const controller = new AbortController()
    const waiting = call(() => new Promise<string>(() => {}), { signal: controller.signal })
    await Promise.resolve()
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' })
    expect(seen.slice(3)).toEqual(['end a undefined undefined', 'over aborted'])
  })
})
