/** What a node by itself answers about its cluster. */
import type { Readiness } from '@rollcall/core'
import { describe, expect, it } from 'vitest'
import { createLoneCluster } from './lone-cluster.js'

describe('a node by itself', () => {
  it('is a cluster of one, which judges all that it lists', () => {
    let readiness: Readiness = { ready: false, reason: 'loading' }
    const cluster = createLoneCluster(
      {
        readiness: () => readiness,
        instances: () => ({ up: 5, starting: 1, draining: 1, suspect: 1, down: 1, disabled: 1 }),
        sessions: () => 3,
        address: () => '10.0.0.1:7400',
      },
      'shop',
      { node: 'a.5f3a', name: 'a', version: '0.1.0' },
    )
    const own = {
      node: 'a.5f3a',
      name: 'a',
      version: '0.1.0',
      address: '10.0.0.1:7400',
      state: 'ready',
      judges: 10,
      sessions: 3,
      unpublished: 0,
      lagMs: 0,
    }
    const engine = { kind: 'none', state: 'connected', endpoints: [] }
    expect(cluster()).toEqual({ cluster: 'shop', epoch: '', nodes: [own], engine, divergence: 0 })
    readiness = { ready: true }
    expect(cluster().nodes).toEqual([own])
    readiness = { ready: false, reason: 'stopping' }
    expect(cluster().nodes).toEqual([{ ...own, state: 'stopping' }])
  })
})
