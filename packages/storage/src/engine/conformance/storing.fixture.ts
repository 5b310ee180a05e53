/** What an engine promises of reads and writes. */
import {
  ENGINE_LIMITS,
  type EngineEntry,
  type EngineKey,
  type EnginePort,
  type EngineWrite,
} from '@rollcall/core'
import { expect } from 'vitest'
import { CHARTER, loadAll, outcomeOf, put, putRevision, type Scene } from './harness.fixture.js'
import type { Tests } from './tests.fixture.js'

export const WRITING: Tests = {
  'creates, updates, and tells what speaks against a write': async (scene) => {
    const { engine } = await scene.node()
    const first = await putRevision(engine, 'a', '1')
    const second = await putRevision(engine, 'a', '2', first)
    expect(second).toBeGreaterThan(first)
    const stored = { key: 'a', value: '2', revision: second }
    expect(await put(engine, 'a', '3', first)).toEqual({ ok: false, stored })
    expect(await put(engine, 'a', '3')).toEqual({ ok: false, stored })
    expect(await put(engine, 'b', '1', first)).toEqual({ ok: false, stored: undefined })
    expect(await engine.read(['a', 'b'])).toEqual([stored])
  },

  'does not let a conflict hold up the rest': async (scene) => {
    const { engine } = await scene.node()
    const revision = await putRevision(engine, 'k5', 'old')
    const writes = Array.from({ length: 10 }, (_, index) => ({
      key: `k${index}`,
      value: `${index}`,
      expected: index === 7 ? revision : 0,
    }))
    const outcomes = await engine.write(CHARTER.epoch, writes)
    expect(outcomes.map(({ ok }) => ok)).toEqual(writes.map((_, index) => index !== 5 && index !== 7))
    expect(outcomes[5]).toEqual({ ok: false, stored: { key: 'k5', value: 'old', revision } })
    expect(outcomes[7]).toEqual({ ok: false, stored: undefined })
    for (const { key, value, revision: at } of await loadAll(engine)) {
      const index = Number(key.slice(1))
      expect(value).toBe(index === 5 ? 'old' : `${index}`)
      const outcome = outcomes[index]
      if (outcome?.ok) expect(outcome.revision).toBe(at)
    }
  },

  'takes as much at once as it says, and no more': async (scene) => {
    const { engine } = await scene.node()
    const { writesMax, bytesMax } = ENGINE_LIMITS
    const bytes = Math.floor(bytesMax / writesMax) - 4
    const writes = batch(writesMax, bytes)
    const outcomes = await engine.write(CHARTER.epoch, writes)
    expect(outcomes.filter(({ ok }) => ok).length).toBe(writesMax)
    const again = await engine.write(CHARTER.epoch, writes)
    expect(again.filter((outcome) => !outcome.ok && outcome.stored?.value.length === bytes).length).toBe(
      writesMax,
    )
    const tooMany = [...writes, { key: 'one', value: '', expected: 0 }]
    expect(await outcomeOf(engine.write(CHARTER.epoch, tooMany))).toBe('RangeError')
    const tooLarge = batch(2, bytesMax / 2)
    expect(await outcomeOf(engine.write(CHARTER.epoch, tooLarge))).toBe('RangeError')
    const twice = [writes[0], writes[0]] as EngineWrite[]
    expect(await outcomeOf(engine.write(CHARTER.epoch, twice))).toBe('RangeError')
    expect(await engine.write(CHARTER.epoch, [])).toEqual([])
  },

  'lets one of several writers win each time': async (scene) => {
    const nodes = await Promise.all([scene.node(), scene.node(), scene.node()])
    await Promise.all(
      nodes.map(async ({ engine }) => {
        for (let counted = 0; counted < 10;) {
          const [stored] = await engine.read(['counter'])
          const value = String(Number(stored?.value ?? 0) + 1)
          const written = await put(engine, 'counter', value, stored?.revision ?? 0)
          if (written.ok) counted += 1
        }
      }),
    )
    expect(await loadAll(nodes[0].engine)).toMatchObject([{ value: '30' }])
  },
}

function batch(count: number, bytes: number): EngineWrite[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `k${String(index).padStart(3, '0')}`,
    value: 'x'.repeat(bytes),
    expected: 0,
  }))
}

export const READING: Tests = {
  'loads everything as of one revision, page by page, while writes go on': async (scene) => {
    const { engine } = await scene.node()
    const { pageKeys } = scene.traits
    const written = await fill(engine, pageKeys)
    const pages: (readonly EngineEntry[])[] = []
    let goesOn = true
    const other = rewrite(scene, written, () => goesOn)
    const revision = await engine.load((page) => void pages.push(page))
    goesOn = false
    await other
    expect(pages.length).toBeGreaterThan(1)
    const entries = pages.flat()
    expect(new Set(entries.map(({ key }) => key)).size).toBe(pageKeys)
    expect(entries.length).toBe(pageKeys)
    // Each round writes every key in the order of the load: as of one moment a key is never newer than one before it.
    const revisions = entries.map((entry) => entry.revision)
    expect(Math.max(...revisions)).toBeLessThanOrEqual(revision)
    const rounds = entries.map(({ value }) => Number(value))
    expect(rounds).toEqual([...rounds].sort((a, b) => b - a))
  },

  'scans the same without the values': async (scene) => {
    const { engine } = await scene.node()
    await fill(engine, 10)
    const keys: EngineKey[] = []
    const revision = await engine.scan((page) => void keys.push(...page))
    const plain = (all: readonly EngineKey[]): unknown => all.map((entry) => [entry.key, entry.revision])
    expect(plain(keys)).toEqual(plain(await loadAll(engine)))
    expect(revision).toBeGreaterThanOrEqual(keys.at(-1)?.revision ?? Infinity)
  },

  'reads some keys as they are now': async (scene) => {
    const [one, two] = [await scene.node(), await scene.node()]
    const revision = await putRevision(one.engine, 'a', '1')
    expect(await two.engine.read(['a', 'b'])).toEqual([{ key: 'a', value: '1', revision }])
    expect(await two.engine.read([])).toEqual([])
    const many = Array.from({ length: ENGINE_LIMITS.writesMax }, (_, index) => `k${index}`)
    expect(await two.engine.read([...many.slice(1), 'a'])).toMatchObject([{ key: 'a' }])
  },

  'keeps every text as it is': async (scene) => {
    const { engine } = await scene.node()
    const texts = ['', ' ', 'ü/€/\u{1F600}', '"\\\n\u0000', '/x/../y', 'charter2', 'Charter']
    const writes = texts.map((text) => ({ key: `k${text}`, value: text, expected: 0 }))
    await engine.write(CHARTER.epoch, writes)
    const byKey = new Map((await loadAll(engine)).map(({ key, value }) => [key, value]))
    expect(byKey).toEqual(new Map(texts.map((text) => [`k${text}`, text])))
  },
}

/** Keys `k00000`, … with the value 0; their revisions. */
async function fill(engine: EnginePort, count: number): Promise<number[]> {
  const revisions: number[] = []
  for (let first = 0; first < count; first += ENGINE_LIMITS.writesMax) {
    const size = Math.min(ENGINE_LIMITS.writesMax, count - first)
    const writes = Array.from({ length: size }, (_, index) => ({
      key: keyOf(first + index),
      value: '0',
      expected: 0,
    }))
    for (const written of await engine.write(CHARTER.epoch, writes))
      revisions.push(written.ok ? written.revision : 0)
  }
  return revisions
}

/** Another node writes all keys in their order, with the number of the round, again and again. */
async function rewrite(scene: Scene, revisions: number[], goesOn: () => boolean): Promise<void> {
  const { engine } = await scene.node()
  for (let round = 1; goesOn(); round += 1)
    for (let first = 0; first < revisions.length && goesOn(); first += ENGINE_LIMITS.writesMax) {
      const some = revisions.slice(first, first + ENGINE_LIMITS.writesMax)
      const writes = some.map((expected, index) => ({
        key: keyOf(first + index),
        value: String(round),
        expected,
      }))
      for (const [index, written] of (await engine.write(CHARTER.epoch, writes)).entries())
        if (written.ok) revisions[first + index] = written.revision
    }
}

function keyOf(index: number): string {
  return `k${String(index).padStart(5, '0')}`
}
