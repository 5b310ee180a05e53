/** Nodes that exchange what they know, in any order, twice or late, come to agree on all of it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JournalEntry } from './ports.js'
import { declarationKey } from './records/declaration.js'
import type { Learnable } from './records/learnable.js'
import { joinRegisters, type Register } from './records/register.js'
import { isStray } from './records/state.js'
import { keyOf, ref, Simulation } from './simulated-node.fixture.js'

/** Something that happens at one of the nodes, or between two of them. */
type Happening =
  | {
      readonly kind: 'register'
      readonly incarnation?: number
      readonly rev: number
      readonly weight: number
    }
  | { readonly kind: 'beat' | 'deregister'; readonly incarnation: number }
  | { readonly kind: 'override'; readonly wish: 'drain' | 'disable' | 'weight' | 'timed' }
  | { readonly kind: 'clear' | 'freeze' | 'unfreeze' | 'undeclare' }
  | { readonly kind: 'declare'; readonly group: string }
  | { readonly kind: 'passes'; readonly ms: number }
  | { readonly kind: 'carry'; readonly to: number; readonly picks: readonly number[] }

interface Step {
  readonly at: number
  readonly id: string
  readonly happening: Happening
}

// Ranges are tiny, and the wall clocks of the nodes the same, so that equal versions are written at different nodes.
const few = fc.integer({ min: 1, max: 2 })
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record(
    { kind: fc.constant('register' as const), incarnation: few, rev: few, weight: few },
    { requiredKeys: ['kind', 'rev', 'weight'] },
  ),
  fc.record({ kind: fc.constantFrom('beat' as const, 'deregister' as const), incarnation: few }),
  fc.record({
    kind: fc.constant('override' as const),
    wish: fc.constantFrom('drain' as const, 'disable' as const, 'weight' as const, 'timed' as const),
  }),
  fc.record({
    kind: fc.constantFrom('clear' as const, 'freeze' as const, 'unfreeze' as const, 'undeclare' as const),
  }),
  fc.record({ kind: fc.constant('declare' as const), group: fc.constantFrom('x', 'y') }),
  fc.record({ kind: fc.constant('passes' as const), ms: fc.constantFrom(0, 5_000, 20_000) }),
  fc.record({
    kind: fc.constant('carry' as const),
    to: fc.nat(2),
    picks: fc.array(fc.nat(30), { maxLength: 6 }),
  }),
)
const steps = fc.array(fc.record({ at: fc.nat(2), id: fc.constantFrom('a', 'b'), happening }), {
  maxLength: 25,
})

/** A deregistration of what its node never knew, forgotten before the others hear of it. */
const FORGOTTEN: [Step[]][] = [
  [
    [
      { at: 1, id: 'a', happening: { kind: 'deregister', incarnation: 2 } },
      { at: 0, id: 'a', happening: { kind: 'register', incarnation: 2, rev: 1, weight: 1 } },
      { at: 1, id: 'a', happening: { kind: 'passes', ms: 20_000 } },
      { at: 1, id: 'a', happening: { kind: 'passes', ms: 20_000 } },
    ],
  ],
]

class Cluster {
  readonly sims: readonly Simulation[]

  /** `joined`: by an engine that has not taken anything in yet. */
  constructor(size: number, joined = false) {
    this.sims = Array.from({ length: size }, (_, index) => {
      const sim = new Simulation({ nodeId: `n${index}` })
      sim.network = () => 'silence'
      sim.node.directory.joined = joined
      return sim
    })
  }

  run({ at, id, happening: what }: Step): void {
    const sim = this.sims[at % this.sims.length] as Simulation
    if (what.kind === 'register') {
      const { incarnation, rev, weight } = what
      sim.register({ id, weight, ...(incarnation === undefined ? {} : { incarnation, rev }) })
    } else if (what.kind === 'beat') sim.beat(id, what.incarnation)
    else if (what.kind === 'deregister') sim.deregister(id, what.incarnation)
    else if (what.kind === 'override') {
      const wishes = {
        drain: { drain: true },
        disable: { disable: true },
        weight: { weight: 7 },
        timed: { drain: true, durationMs: 3_000 },
      }[what.wish]
      sim.execute({ kind: 'override', refs: [ref(id)], ...wishes })
    } else if (what.kind === 'clear') sim.execute({ kind: 'clearOverrides', refs: [ref(id)] })
    else if (what.kind === 'freeze') sim.execute({ kind: 'freeze', namespace: 'default', by: `n${at}` })
    else if (what.kind === 'unfreeze') sim.execute({ kind: 'unfreeze', namespace: 'default' })
    else if (what.kind === 'declare')
      sim.execute({
        kind: 'declareService',
        namespace: 'default',
        service: id,
        settings: { groups: [what.group] },
      })
    else if (what.kind === 'undeclare')
      sim.execute({ kind: 'declareService', namespace: 'default', service: id, settings: null })
    else if (what.kind === 'passes') sim.run(what.ms)
    else if (what.kind === 'carry') this.carry(sim, what.to, what.picks)
  }

  /** Some of what a node ever wrote reaches another one: late, twice, in any order, and the rest not at all. */
  private carry(from: Simulation, to: number, picks: readonly number[]): void {
    const said = from.entries.filter(isLearnable)
    const sim = this.sims[to % this.sims.length] as Simulation
    if (said.length === 0 || sim === from) return
    for (const pick of picks) learn(sim, [said[pick % said.length] as Learnable])
  }

  /** The registers of the first node, by name. */
  registers(): Map<string, Register<unknown>> {
    const [sim] = this.sims as [Simulation]
    return registersOf(sim.node.snapshot())
  }

  /** The registers as all that any node ever wrote adds up to, removals included. */
  written(): Map<string, Register<unknown>> {
    return registersOf(this.sims.flatMap(({ entries }) => entries))
  }

  /** The highest incarnation of each id that any node holds as deregistered. */
  buried(): Map<string, number> {
    const highest = new Map<string, number>()
    for (const { node } of this.sims) {
      for (const { record } of node.directory.entries()) {
        const { id, incarnation, content } = record
        if (content.intent === 'gone') highest.set(id, Math.max(incarnation, highest.get(id) ?? -1))
      }
    }
    return highest
  }

  /** Everything reaches every node. */
  settle(order: readonly number[]): void {
    for (let round = 0; round < this.sims.length; round++) {
      for (const pick of [...order, 0, 1, 2]) {
        const from = this.sims[pick % this.sims.length] as Simulation
        for (const to of this.sims) if (to !== from) learn(to, [...from.node.snapshot()].filter(isLearnable))
      }
    }
  }
}

function registersOf(entries: Iterable<JournalEntry>): Map<string, Register<unknown>> {
  const found = new Map<string, Register<unknown>>()
  for (const entry of entries) {
    if (entry.kind === 'forget' || entry.kind === 'epoch') continue
    const name = entry.kind === 'record' ? `override/${entry.record.id}` : declarationKey(entry)
    const register = entry.kind === 'record' ? entry.record.override : entry.register
    const held = found.get(name)
    if (register !== undefined)
      found.set(name, held === undefined ? register : joinRegisters<Register<unknown>>(held, register))
  }
  return found
}

function isLearnable(entry: JournalEntry): entry is Learnable {
  return entry.kind !== 'forget'
}

function learn(sim: Simulation, entries: readonly Learnable[]): void {
  expect(sim.node.learn(JSON.parse(JSON.stringify(entries)) as Learnable[], sim.now)).toEqual([])
}

/** All that nodes must agree on: signs, registers, shown states. */
function state({ node, now, read }: Simulation): unknown {
  const byKey = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
  return {
    services: read.services({}),
    namespaces: read.namespaces().namespaces,
    records: [...node.directory.entries()].map(({ record, state: shown }) => ({ record, shown })).sort(byKey),
    declarations: [...node.directory.declarations()].sort(byKey),
    frozen: node.directory.freezes.list(now).map(({ namespace, by }) => ({ namespace, by })),
    standing: node.overrides.list({}, now).overrides.map(({ id, counter, node: at }) => [id, counter, at]),
  }
}

describe('nodes that exchange what they know', () => {
  it('agree on everything once all of it arrived, in whatever order, twice or late (G6)', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 3 }),
        steps,
        fc.array(fc.nat(2), { maxLength: 3 }),
        (size, all, order) => {
          const cluster = new Cluster(size)
          for (const step of all) cluster.run(step)
          cluster.settle(order)
          const [first, ...others] = cluster.sims.map(state)
          for (const other of others) expect(other).toEqual(first)
          expect(cluster.registers()).toEqual(cluster.written())
        },
      ),
      { numRuns: 300 },
    )
  }, 60_000)

  it('write nothing more then: what is known everywhere is not written again', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const cluster = new Cluster(2)
        for (const step of all) cluster.run(step)
        cluster.settle([])
        for (const sim of cluster.sims) sim.mark()
        cluster.settle([])
        expect(cluster.sims.flatMap(({ entries }) => entries)).toEqual([])
      }),
      { numRuns: 150 },
    )
  }, 60_000)

  it('restart from their own journals to the same agreement', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const cluster = new Cluster(2)
        for (const step of all) cluster.run(step)
        cluster.settle([])
        const [sim] = cluster.sims as [Simulation]
        const again = new Simulation({ nodeId: 'again' })
        again.node.load(JSON.parse(JSON.stringify(sim.entries)) as JournalEntry[], again.now)
        const { frozen, ...before } = state(sim) as Record<string, unknown>
        expect(state(again)).toMatchObject({ ...before, frozen })
      }),
      { numRuns: 150 },
    )
  }, 60_000)

  it.each([false, true])(
    'never list an incarnation that any of them deregistered (joined: %s)',
    (joined) => {
      fc.assert(
        fc.property(steps, (all) => {
          const cluster = new Cluster(3, joined)
          const gone = new Set<string>()
          for (const step of all) {
            cluster.run(step)
            const { at, happening: what, id } = step
            if (what.kind !== 'deregister') continue
            const record = cluster.sims[at]?.node.directory.entry(keyOf(id))?.record
            // What a node alone never knew it remembers for a moment only: those count while they are held.
            if (joined || record === undefined || !isStray(record)) gone.add(`${id} ${what.incarnation}`)
          }
          const held = cluster.buried()
          cluster.settle([])
          for (const { node } of cluster.sims) {
            for (const id of ['a', 'b']) {
              const entry = node.directory.entry(keyOf(id))
              if (entry === undefined || entry.state === null) continue
              const { incarnation } = entry.record
              expect(gone.has(`${id} ${incarnation}`)).toBe(false)
              expect(incarnation).toBeGreaterThan(held.get(id) ?? -1)
            }
          }
        }),
        { numRuns: 200, examples: FORGOTTEN },
      )
    },
    60_000,
  )
})
