/** Requests as commands, names of views, results of batches. */
import type { ErrorBody, InstanceSpec } from '@rollcall/wire'
import { readHeartbeat, readRegister } from '@rollcall/wire/schemas'
import { describe, expect, it } from 'vitest'
import {
  commonFailure,
  mergeErrors,
  mergeResults,
  toRegisterCommand,
  toViewName,
  toWatchCommands,
} from './mapping.js'
import { viewKey } from '../http/view-bodies.js'

const refused = (field: string): ErrorBody => ({ code: 'invalid_argument', message: 'no', field })
const item: InstanceSpec = { service: 's', host: 'h', port: 1 }

describe('commands', () => {
  it('have every default filled in', () => {
    expect(toRegisterCommand({ service: 's', host: '::1', port: 80 }, 'shop')).toEqual({
      namespace: 'shop',
      service: 's',
      group: 'default',
      id: '[::1]:80',
      host: '::1',
      port: 80,
      weight: 100,
      metadata: {},
      intent: 'up',
      leaseMs: 15_000,
      liveness: 'lease',
    })
  })

  it('keep everything that was said', () => {
    const said: InstanceSpec = {
      namespace: 'n',
      service: 's',
      group: 'g',
      id: 'i',
      host: 'h',
      port: 1,
      protocol: 'http',
      weight: 0,
      zone: 'z',
      metadata: { a: 'b' },
      state: 'starting',
      leaseMs: 5_000,
      incarnation: 0,
      rev: 0,
      liveness: 'static',
      probe: { type: 'http', path: '/x' },
    }
    const { state, ...rest } = said
    expect(toRegisterCommand(said, 'other')).toEqual({ ...rest, intent: state })
  })

  it('name views only by names', () => {
    expect(viewKey(toViewName({ service: 's' }, 'n'))).toBe('n/s')
    expect(viewKey(toViewName({ service: 's', group: 'g', namespace: 'm' }, 'n'))).toBe('m/s/g')
    expect(() => toWatchCommands([{ service: 's' }, { service: 'a/b' }], 'n')).toThrow(
      /services\[1\]\.service/,
    )
    expect(() => toWatchCommands([{ service: 's', sign: 'x' }], 'n')).toThrow(/services\[0\]\.sign/)
  })
})

describe('answers to batches', () => {
  it('are in the order of the request, with paths of the request', () => {
    const batch = readRegister({ instances: [7, item, 8, item, 9] }, 10)
    const stored = {
      ok: true,
      service: 's',
      group: 'default',
      id: 'i',
      incarnation: 1,
      durability: 'disk',
    } as const
    const results = mergeResults(batch, [stored, { ok: false, error: refused('port') }])
    expect(results.map((each) => (each.ok ? 'ok' : each.error.field))).toEqual([
      'instances[0]',
      'ok',
      'instances[2]',
      'instances[3].port',
      'instances[4]',
    ])
    expect(commonFailure(results)).toBeUndefined()
    expect(commonFailure(results.filter((each) => !each.ok))?.field).toBe('instances[0]')
  })

  it('count items as the request did, also where the core saw fewer', () => {
    const batch = readHeartbeat({ instances: [1, { service: 's', id: 'a' }, { service: 's', id: 'b' }] }, 10)
    expect(mergeErrors(batch, [refused('instances[1].id')])?.map((each) => each.field)).toEqual([
      'instances[0]',
      'instances[2].id',
    ])
    expect(mergeErrors(readHeartbeat({ instances: [] }, 10), undefined)).toBeUndefined()
  })

  it('tell the first hundred errors in full, and of each further item its code and details', () => {
    const details = { incarnation: 7 }
    const late: ErrorBody = { code: 'superseded', message: 'x'.repeat(200), field: 'id', details }
    const many = readRegister({ instances: [...Array.from({ length: 9_999 }, () => 0), item] }, 10_000)
    const results = mergeResults(many, [{ ok: false, error: late }])
    expect(results).toHaveLength(10_000)
    expect(results.every((each) => !each.ok && each.error.code !== undefined)).toBe(true)
    expect(results[99]).toMatchObject({ error: { field: 'instances[99]' } })
    expect(results.at(-1)).toEqual({
      ok: false,
      error: { code: 'superseded', message: 'see the first errors', details },
    })
    expect(JSON.stringify(results).length).toBeLessThan(900_000)

    const errors = mergeErrors(readHeartbeat({ instances: Array.from({ length: 9_990 }, () => 0) }, 10_000), [
      ...Array.from({ length: 10 }, () => late),
    ])
    expect(errors).toHaveLength(101)
    expect(errors?.at(-1)).toEqual({ code: 'invalid_argument', message: '9900 more were refused' })
  })
})
