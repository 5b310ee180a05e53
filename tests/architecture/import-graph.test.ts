/** The rules over the import graph, each seen to fail. */
import { describe, expect, it } from 'vitest'
import { METRICS } from '@rollcall/core'
import { ORDER, orderOfFolders } from './layers.js'
import { buildGraph, type ModuleGraph } from './module-graph.js'
import { PLANTED } from './planted.js'
import { isTest, RULES } from './rules.js'
import { read } from './source-files.js'
import { packageManifests, sourceTexts } from './workspace.js'

const packages = packageManifests()
const graph = buildGraph(sourceTexts(), packages)

describe('the import graph', () => {
  it('is the real one: a tool that parses nothing finds nothing wrong', () => {
    expect(graph.modules.size).toBeGreaterThan(20)
    const edges = [...graph.modules.values()].flatMap(({ imports }) => imports)
    expect(edges.filter(({ target }) => target.kind === 'package').length).toBeGreaterThan(5)
    expect(edges.filter(({ target }) => target.kind === 'file').length).toBeGreaterThan(20)
  })

  it.each(Object.entries(RULES))('%s', (_sentence, rule) => {
    expect(rule(graph)).toEqual([])
  })
})

describe('the order of folders', () => {
  it.each(Object.keys(ORDER))('of %s is the sentence in docs/ARCHITECTURE.md', (sources) => {
    expect(read('docs/ARCHITECTURE.md')).toContain(`\`${orderOfFolders(sources)}\``)
  })
})

describe('each rule can fail', () => {
  const planted = (files: Readonly<Record<string, string>>): ModuleGraph =>
    buildGraph(new Map(Object.entries(files)), packages, graph.modules)

  it.each(PLANTED)('$rule: $about', ({ rule, files, culprit }) => {
    const check = RULES[rule]
    expect(check, `no rule is called '${rule}'`).toBeDefined()
    const found = check?.(planted(files)) ?? []
    expect(found.some((line) => line.includes(culprit))).toBe(true)
  })

  it('and each has a planted violation', () => {
    const planting = new Set(PLANTED.map(({ rule }) => rule))
    // A package without a layer would need a manifest, not a source file; see the next test.
    expect(Object.keys(RULES).filter((rule) => !planting.has(rule))).toEqual(['every package has a layer'])
  })

  it('a new package has no layer until it gets one', () => {
    const stranger = {
      name: '@rollcall/stranger',
      folder: 'packages/stranger',
      entries: new Map(),
      dependencies: new Set<string>(),
    }
    expect(RULES['every package has a layer']?.(buildGraph(new Map(), [stranger]))).toEqual([
      'packages/stranger has none',
    ])
  })
})

describe('metric names', () => {
  const catalogue = 'packages/core/src/metrics.ts'
  // A bridge is no node.
  const bridge = 'packages/cli/src/bridge/figures.ts'
  const used = new Set(
    [...graph.modules.values()]
      .filter(
        ({ path }) => path.startsWith('packages/') && !isTest(path) && ![catalogue, bridge].includes(path),
      )
      .flatMap(({ metricNames }) => metricNames),
  )

  it('are all in the catalogue', () => {
    expect([...used].filter((name) => !Object.hasOwn(METRICS, name))).toEqual([])
  })

  it('are all reported', () => {
    expect(Object.keys(METRICS).filter((name) => !used.has(name))).toEqual([])
  })
})
