/** Instances as targets, beside the fixture; labels that never collide. */
import { readFileSync } from 'node:fs'
import type { Instance } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeGroups } from './codec.js'
import { toTargetGroup } from './mapping.js'

function instance(more: Partial<Instance>): Instance {
  return {
    namespace: 'default',
    service: 'orders',
    group: 'default',
    id: 'orders-1',
    host: '10.0.0.1',
    port: 8_080,
    weight: 100,
    metadata: {},
    state: 'up',
    stateAgeMs: 0,
    incarnation: 1,
    digest: '0123456789abcdef',
    ...more,
  }
}

const metadataLabels = (metadata: Instance['metadata']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(toTargetGroup(instance({ metadata })).labels).filter(([name]) =>
      name.includes('metadata_'),
    ),
  )

describe('a target', () => {
  it('is written as Prometheus reads it', () => {
    const groups = [
      instance({
        protocol: 'http',
        zone: 'eu-a',
        metadata: { 'app.kubernetes.io/name': 'orders', metrics_path: '/stats' },
      }),
      instance({ group: 'blue', id: 'orders-2', host: '2001:db8::1', port: 9_090, state: 'down' }),
    ].map(toTargetGroup)
    const fixture = readFileSync(new URL('fixtures/targets.json', import.meta.url), 'utf8')
    expect([...encodeGroups(groups)].join('')).toBe(fixture)
    expect([...encodeGroups([])].join('')).toBe('[]\n')
  })

  it('tells keys apart that would become the same label', () => {
    expect(metadataLabels({ 'a.b': '1', 'a-b': '2' })).toEqual({
      __meta_rollcall_escaped_metadata_a_2e_b: '1',
      __meta_rollcall_escaped_metadata_a_2d_b: '2',
    })
    expect(metadataLabels({ 'a.b': '1', a_b: '2', ä: '3' })).toEqual({
      __meta_rollcall_escaped_metadata_a_2e_b: '1',
      __meta_rollcall_metadata_a_b: '2',
      __meta_rollcall_metadata__: '3',
    })
  })

  it('has a label that Prometheus takes for every key, whatever they are', () => {
    const keys = fc.oneof(
      fc.string({
        unit: fc.constantFrom('a', 'B', '_', '.', '-', '2', 'e', 'ä', '😀'),
        minLength: 1,
        maxLength: 6,
      }),
      fc.string({ minLength: 1, unit: 'binary' }),
    )
    fc.assert(
      fc.property(fc.uniqueArray(keys, { maxLength: 12 }), (names) => {
        const metadata = Object.fromEntries(names.map((name) => [name, `of ${name}`]))
        const labels = metadataLabels(metadata)
        expect(Object.values(labels).toSorted()).toEqual(Object.values(metadata).toSorted())
        for (const name of Object.keys(labels)) expect(name).toMatch(/^[a-zA-Z_][a-zA-Z0-9_]*$/)
      }),
    )
  })
})
