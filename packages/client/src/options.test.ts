/** Where clusters, lookups and registrations go, and what is refused. */
import { describe, expect, it } from 'vitest'
import { tmpdir } from 'node:os'
import {
  CLUSTERS_MAX,
  checkName,
  clustersOf,
  defaultSnapshotDir,
  lookupOf,
  placesOf,
  registrationSpec,
} from './options.js'
import type { ConnectOptions } from './api.js'

const EAST = ['http://e1:7400', 'http://e2:7400']
const of = (options: ConnectOptions) => clustersOf(options, 'default')

describe('clusters', () => {
  it('are one where none are named', () => {
    expect(of({ registries: EAST })).toMatchObject([
      {
        name: 'default',
        registries: EAST,
        urls: ['ws://e1:7400/api/v1/stream', 'ws://e2:7400/api/v1/stream'],
      },
    ])
    expect(of({ registries: EAST, cluster: 'mine' })).toMatchObject([{ name: 'mine', snapshotName: 'mine' }])
  })

  it('come in the order of their names, and find the snapshots of the days when they were alone', () => {
    const several = of({ clusters: { west: { registries: ['http://w:7400'] }, east: { registries: EAST } } })
    expect(several.map(({ name }) => name)).toEqual(['west', 'east'])
    expect(several[1]?.snapshotName).toBe(of({ registries: EAST })[0]?.snapshotName)
    expect(several[0]?.snapshotName).not.toBe(several[1]?.snapshotName)
  })

  it('have static lists of their own', () => {
    const [old] = of({ clusters: { old: { static: { orders: [{ host: 'h', port: 1 }] } } } })
    expect([...(old?.statics.keys() ?? [])]).toContain('default\norders')
  })

  const many = Object.fromEntries(Array.from({ length: CLUSTERS_MAX + 1 }, (_, n) => [`c${n}`, {}]))
  it.each<ConnectOptions>([
    { clusters: {} },
    { clusters: many },
    { clusters: { 'a b': {} } },
    { clusters: { east: {} }, registries: EAST },
    { clusters: { east: {} }, static: {} },
    { clusters: { east: {} }, cluster: 'mine' },
    { clusters: { east: { registries: ['ftp://e'] } } },
    { registries: 'http://e1:7400' as unknown as string[] },
    { clusters: { east: { cluster: 'a b' } } },
  ])('are refused as %j', (options) => {
    expect(() => of(options)).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
  })
})

describe('the directory of the snapshots', () => {
  const throws = (): never => {
    throw new Error('uv_os_homedir returned ENOENT')
  }
  const temporary = `${tmpdir()}/rollcall-12345`
  it.each([
    ['the cache directory of the user', { XDG_CACHE_HOME: '/c' }, throws, '/c/rollcall'],
    ['the home', {}, () => '/users/a', '/users/a/.cache/rollcall'],
    ['the temporary one of a user whose home is the root', {}, () => '/', temporary],
    ['the temporary one of a user without an entry', {}, throws, temporary],
  ])('is in %s', (_, environment, homedir, expected) => {
    expect(defaultSnapshotDir(environment, { homedir, getuid: () => 12_345 })).toBe(expected)
  })
})

describe('a registration', () => {
  const completing = (options: object) => () =>
    registrationSpec({ service: 'orders', port: 80, host: 'h', ...options }, 'default', '')
  const refusal = (field: string, words: RegExp): Error =>
    expect.objectContaining({
      code: 'invalid_argument',
      field,
      message: expect.stringMatching(words) as string,
    }) as Error

  it.each([
    ['0.0.0.0', /where you listen, not where others reach you.*without one the client takes its own address/],
    ['::', /where you listen/],
    ['224.0.0.1', /multicast/],
    ['http://10.0.0.5', /without a scheme/],
    ['/run/app.sock', /without a path/],
    [' 10.0.0.5', /spaces/],
    ['10.0.0.5:80', /without its port/],
    [42, /must be a text; it is number/],
  ])('with the host %j is refused by its host', (host, words) => {
    expect(completing({ host })).toThrow(refusal('host', words))
    expect(completing({ host, id: 'given' })).toThrow(refusal('host', words))
  })

  it.each([
    ['3000', /must be a number; it is the text "3000"/],
    [undefined, /whole number from 1 to 65535; it is undefined/],
    [0, /whole number/],
  ])('with the port %j is refused with what it is', (port, words) => {
    expect(completing({ port })).toThrow(refusal('port', words))
  })
})

describe('having nowhere to go', () => {
  it.each<ConnectOptions>([
    {},
    { registries: [] },
    { registries: [], cluster: 'mine', snapshotDir: false },
    { clusters: { east: {}, west: { registries: [] } } },
  ])('is refused: %j', (options) => {
    expect(() => of(options)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', field: 'registries' }) as Error,
    )
  })

  it.each<ConnectOptions>([
    { static: { orders: [{ host: 'h', port: 1 }] } },
    { cluster: 'mine' },
    { clusters: { east: {}, west: { registries: EAST } } },
  ])('is not so with %j', (options) => {
    expect(of(options)).not.toHaveLength(0)
  })
})

describe('a name', () => {
  it.each<readonly [name: unknown, said: string]>([
    [undefined, 'it is undefined'],
    ['', 'it is ""'],
    ['a b', 'it is "a b"'],
  ])('like %j is refused with what it is for', (name, said) => {
    expect(() => checkName(name as string, 'service')).toThrow(/^service must be a name/)
    expect(() => checkName(name as string, 'service')).toThrow(said)
  })
})

describe('where to look', () => {
  it('is everywhere, in the usual way, unless told otherwise', () => {
    const known = ['east', 'west']
    expect(lookupOf({}, known, 'union')).toEqual({ clusters: known, merge: 'union' })
    expect(lookupOf({ clusters: ['west', 'west'], merge: 'preferred' }, known, 'union')).toEqual({
      clusters: ['west'],
      merge: 'preferred',
    })
    const wrong = { merge: 'both' as 'union' }
    expect(() => lookupOf(wrong, known, 'union')).toThrow(expect.objectContaining({ field: 'merge' }))
  })
})

describe('where to register', () => {
  it('is everywhere, by name, or on terms of its own; what is no term is refused', () => {
    const at = { service: 'orders', port: 1 }
    const known = ['east', 'west']
    expect([...placesOf(at, known)]).toEqual([
      ['east', {}],
      ['west', {}],
    ])
    expect([...placesOf({ ...at, clusters: ['west'] }, known)]).toEqual([['west', {}]])
    const terms = { liveness: 'static' as const, leaseMs: 1_000, probe: { type: 'tcp' as const }, host: 'x' }
    expect([...placesOf({ ...at, clusters: { east: terms } }, known)]).toEqual([['east', terms]])
    const wrong = { east: { lease: 1 } as object }
    expect(() => placesOf({ ...at, clusters: wrong }, known)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', field: 'clusters.east.lease' }) as Error,
    )
  })
})
