/** The screen of a node's status: calm where all is well, and loud where something calls for attention. */
import type { NodeStatus } from '@rollcall/wire'
import { describe, expect, it } from 'vitest'
import { statusRows } from './status-rows.js'
import { STATUS } from './status.fixture.js'

const text = (status: NodeStatus): string[] =>
  statusRows(status).map(
    ({ what, text: value, style }) => `${what}: ${value}${style === undefined ? '' : ` [${style}]`}`,
  )

describe('statusRows', () => {
  it('fit one screen and are calm where all is well', () => {
    expect(text(STATUS)).toEqual([
      'ready: yes [green]',
      'version: 0.1.0',
      'node: edge.5f3a',
      'cluster: rollcall',
      'address: 10.0.0.1:7400',
      'up: 25h, since 2026-01-01T00:00:00.000Z',
      'lists: 120 services in 3 namespaces',
      'instances: 1,045: 1,021 up, 24 draining',
      'clients: 310 sessions, 0 event streams, 1 long poll, 4,100 watches',
      'guards: none tripped',
      'frozen: nothing',
      'overrides: none',
      'journal: on disk, 18.4 MiB, last commit 3s ago',
      'memory: heap 120 MiB of 1.2 GiB (9 %), process 291 MiB',
      'fullest: watchBytesMax (43 %)',
    ])
  })

  it('say what is wrong, and what operators hold', () => {
    const freeze = (namespace: string, why?: string): NodeStatus['freezes']['oldest'][number] => ({
      namespace,
      ageMs: 300_000,
      by: 'ann',
      ...(why === undefined ? {} : { why }),
    })
    const lines = text({
      ...STATUS,
      readiness: { ready: false, reason: 'stopping' },
      registry: { ...STATUS.registry, stale: true },
      guards: { services: 1, kept: 14, zones: 1 },
      freezes: { total: 12, oldest: [freeze('*', 'switch replacement'), freeze('far')] },
      overrides: { total: 3, drain: 2, disable: 0, weight: 1 },
      journal: { durability: 'memory', failing: true, fault: 'call', error: 'ENOSPC', queuedEntries: 7 },
      memory: { ...STATUS.memory, heapBytes: 1_000_000_000 },
    })
    expect(lines).toEqual(
      expect.arrayContaining([
        'ready: no: stopping [red]',
        ': may lack what lives: not all have been heard yet [yellow]',
        'guards: 1 service keeps 14 silent instances; the node doubts its ears in 1 zone [yellow]',
        'frozen: all namespaces for 5m by ann (switch replacement) [yellow]',
        ': far for 5m by ann [yellow]',
        ': … and 10 more [yellow]',
        'overrides: 3: 2 drain, 1 weight [yellow]',
        'journal: FAILING (call: ENOSPC): writes are kept in memory only, 7 entries wait [red]',
        'memory: heap 954 MiB of 1.2 GiB (77 %), process 291 MiB [yellow]',
      ]),
    )
  })

  it('say how the node fares among those that it joined', () => {
    const joined = { nodes: 3, engine: 'connected', island: false, unpublished: 0, lagMs: 0 } as const
    expect(text({ ...STATUS, joined })).toContain('joined: 3 nodes, engine connected')
    expect(text({ ...STATUS, joined: { ...joined, unpublished: 1, lagMs: 40 } })).toContain(
      'joined: 3 nodes, engine connected, 1 change is not in the engine yet, the oldest for 40ms',
    )
    expect(text({ ...STATUS, joined: { ...joined, engine: 'lost' } })).toContain(
      'joined: 3 nodes, engine lost [yellow]',
    )
    const island = { ...joined, engine: 'lost', island: true, unpublished: 1_200, lagMs: 180_000 } as const
    expect(text({ ...STATUS, joined: island })).toContain(
      'joined: ISLAND: the engine is lost, and what is accepted here reaches linked nodes only; 1,200 changes are not in the engine yet, the oldest for 3m [red]',
    )
  })

  it('say that nothing is kept where nothing is meant to be', () => {
    expect(text({ ...STATUS, journal: { durability: 'memory', failing: false } })).toContain(
      'journal: none: nothing is kept on disk',
    )
  })
})
