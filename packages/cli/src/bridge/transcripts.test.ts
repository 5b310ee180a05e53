/**
 * A bridge and the transcripts of other registries' clients: what was answered to them is read, and what the bridge writes has no
 * member that none of them wrote. Answers of Eureka are those of the real server, those of Consul are written from its documentation.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readEntries, readServiceNames, writeDefinition } from './consul-mapping.js'
import { readApplications, writeInstance } from './eureka-mapping.js'
import { isObject, parseAnswer } from './json.js'
import { mirrorOf } from './mark.js'
import { instance } from './registries.fixture.js'

interface Exchange {
  readonly request: { readonly line: string; readonly body?: string }
  readonly response: { readonly line?: string; readonly status?: number; readonly body?: string }
}

function exchangesIn(folder: string): readonly Exchange[] {
  const url = new URL(`../../../../${folder}/`, import.meta.url)
  return readdirSync(url).flatMap((file) => {
    const document = JSON.parse(readFileSync(new URL(file, url), 'utf8')) as {
      exchanges?: readonly Exchange[]
    }
    return document.exchanges ?? []
  })
}

const EUREKA = exchangesIn('packages/protocols/src/eureka/fixtures')
const CONSUL = exchangesIn('tests/integration/fixtures/consul')

/** Answers with a body of JSON to requests like this one. */
const answersTo = (exchanges: readonly Exchange[], asked: RegExp): unknown[] =>
  exchanges
    .filter(
      ({ request, response }) =>
        asked.test(request.line) && / 200/.test(response.line ?? ` ${response.status}`),
    )
    .flatMap(({ response: { body = '' } }) => (/^[[{]/.test(body) ? [parseAnswer(body, body)] : []))

/** Names of all members, however deep, but for those of the maps that users fill. */
function membersOf(value: unknown, into = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const each of value) membersOf(each, into)
  if (!isObject(value)) return into
  for (const [name, member] of Object.entries(value)) {
    into.add(name)
    if (name.toLowerCase() !== 'meta' && name !== 'metadata') membersOf(member, into)
  }
  return into
}

const bodiesOf = (exchanges: readonly Exchange[], asked: RegExp): unknown[] =>
  exchanges.flatMap(({ request: { line, body = '' } }) =>
    asked.test(line) && body.startsWith('{') ? [JSON.parse(body)] : [],
  )

describe('Eureka', () => {
  it('is read as its server lists it', () => {
    const lists = answersTo(EUREKA, /^GET \/eureka\/apps\/? /)
    const all = lists.map((list) => readApplications(list, 'no list'))
    expect(lists.length).toBeGreaterThan(10)
    expect(all.map(({ unreadable }) => unreadable)).toEqual(all.map(() => 0))
    const instances = all.flatMap(({ instances: some }) => some)
    expect(instances.length).toBeGreaterThan(5)
    expect(new Set(instances.map(({ standing }) => standing))).toEqual(new Set(['up', 'out']))
  })

  it('is told nothing that its clients do not tell', () => {
    const told = new Set(bodiesOf(EUREKA, /^POST \/eureka\/apps\//).flatMap((body) => [...membersOf(body)]))
    const ours = membersOf(writeInstance(mirrorOf(instance(1), 'rollcall', 'b'), 1))
    expect([...ours].filter((member) => !told.has(member))).toEqual([])
  })
})

describe('Consul', () => {
  it('is read as its clients are answered', () => {
    const catalogues = answersTo(CONSUL, /^GET \/v1\/catalog\/services\b/)
    expect(catalogues.length).toBeGreaterThan(5)
    for (const each of catalogues) expect(readServiceNames(each)).toBeDefined()
    const entries = answersTo(CONSUL, /^GET \/v1\/health\/service\//).flatMap((list) => readEntries(list))
    expect(entries.length).toBeGreaterThan(20)
    expect(entries.filter((entry) => entry === undefined)).toEqual([])
  })

  it('is told nothing that its clients do not tell', () => {
    const bodies = bodiesOf(CONSUL, /^PUT \/v1\/agent\/service\/register\b/)
    const told = new Set(bodies.flatMap((body) => [...membersOf(body)]))
    const ours = membersOf(writeDefinition(mirrorOf(instance(1), 'rollcall', 'b')))
    expect([...ours].filter((member) => !told.has(member))).toEqual([])
  })
})
