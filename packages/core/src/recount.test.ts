/** Whatever happens, the books say what is held and who pays for it; and when all is over they are empty. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Budget } from './budgets/budget.js'
import type { NodeBudgets } from './budgets/node-budgets.js'
import type { Learnable } from './records/learnable.js'
import type { InstanceKey } from './records/record.js'
import { recount } from './recount.js'
import { command, Simulation } from './simulated-node.fixture.js'

/** Short, so that much is forgotten. */
const RETENTION_MS = 60_000

/** Small, so that refusals happen too. */
const BOUNDS = {
  recordBytesMax: 12_000,
  tombstoneBytesMax: 25_000,
  strayBytesMax: 9_000,
  declarationBytesMax: 8_000,
  watchBytesMax: 8_000,
}

const KEYS: readonly InstanceKey[] = ['m', 'n'].flatMap((namespace) =>
  ['s'].flatMap((service) =>
    ['g', 'h'].flatMap((group) => ['a', 'b'].map((id) => ({ namespace, service, group, id }))),
  ),
)

type Happening =
  | 'register'
  | 'fatten'
  | 'beat'
  | 'deregister'
  | 'remove'
  | 'drain'
  | 'disable'
  | 'clear'
  | 'restore'
  | 'declare'
  | 'undeclare'
  | 'freeze'
  | 'unfreeze'
  | 'watch'
  | 'unwatch'
  | 'pass'
  | 'pass all'
  | 'carry'
  | 'restart'

const HAPPENINGS: readonly Happening[] = [
  'register',
  'register',
  'fatten',
  'beat',
  'deregister',
  'remove',
  'drain',
  'disable',
  'clear',
  'restore',
  'declare',
  'undeclare',
  'freeze',
  'unfreeze',
  'watch',
  'unwatch',
  'pass',
  'pass all',
  'carry',
  'restart',
]

interface Step {
  readonly what: Happening
  readonly key: InstanceKey
  readonly peer: string
  readonly incarnation: number
}

const steps = fc.array(
  fc.record<Step>({
    what: fc.constantFrom(...HAPPENINGS),
    key: fc.constantFrom(...KEYS),
    peer: fc.constantFrom('10.0.0.1', '10.0.0.2'),
    incarnation: fc.integer({ min: 1, max: 4 }),
  }),
  { maxLength: 60 },
)

/** Two nodes that may learn of each other; commands go to the first. */
class World {
  sim = this.boot()
  private readonly other = this.boot()

  private boot(): Simulation {
    const sim = new Simulation({ ...BOUNDS, liveness: { retentionMs: RETENTION_MS } })
    sim.network = () => 'silence'
    return sim
  }

  do({ what, key, peer, incarnation }: Step): void {
    const { sim } = this
    const { namespace, service } = key
    const refs = [key]
    const liveness = incarnation % 2 === 0 ? 'lease' : 'static'
    const of = (target: Simulation, extra: object): void => {
      target.execute(
        { kind: 'register', items: [command({ ...key, incarnation, liveness, ...extra })] },
        peer,
      )
    }
    const does: Record<Happening, () => void> = {
      register: () => of(sim, {}),
      fatten: () => of(sim, { rev: 1 + incarnation, metadata: { a: 'x'.repeat(1_000 * incarnation) } }),
      beat: () => sim.node.heard([{ ...key, incarnation }], sim.now),
      deregister: () => sim.execute({ kind: 'deregister', refs: [{ ...key, incarnation }] }, peer),
      remove: () => sim.execute({ kind: 'deregister', refs, by: 'ops' }, peer),
      drain: () => sim.execute({ kind: 'override', refs, drain: true, durationMs: 30_000 }, peer),
      disable: () => sim.execute({ kind: 'override', refs, disable: true, why: 'x'.repeat(90) }, peer),
      clear: () => sim.execute({ kind: 'clearOverrides', refs }, peer),
      restore: () => sim.execute({ kind: 'restore', namespace, service }, peer),
      declare: () =>
        sim.execute({ kind: 'declareService', namespace, service, settings: { groups: ['g'] } }, peer),
      undeclare: () => sim.execute({ kind: 'declareService', namespace, service, settings: null }, peer),
      freeze: () => sim.execute({ kind: 'freeze', namespace }, peer),
      unfreeze: () => sim.execute({ kind: 'unfreeze', namespace }, peer),
      watch: () => this.watch(key, peer),
      unwatch: () => this.unwatch(),
      pass: () => sim.run(20_000),
      'pass all': () => sim.run(RETENTION_MS + 20_000),
      carry: () => {
        of(this.other, { weight: 7 })
        if (incarnation > 2) this.other.execute({ kind: 'deregister', refs: [{ ...key, incarnation }] }, peer)
        sim.node.learn(learnable(this.other), sim.now)
        this.other.node.learn(learnable(sim), this.other.now)
      },
      restart: () => this.restart(),
    }
    does[what]()
  }

  private ends: (() => void)[] = []

  private watch({ namespace, service }: InstanceKey, peer: string): void {
    const { sim } = this
    const { publisher } = sim.node
    const subscription = publisher.subscribe({ deliver() {} }, () => sim.now, peer)
    try {
      subscription.watch([{ namespace, service }])
    } catch {
      // There is no room.
    }
    this.ends.push(() => subscription.close())
    try {
      this.ends.push(publisher.wait({ namespace, service, group: 'g' }, 'none', () => {}, peer))
    } catch {
      // There is no room.
    }
  }

  unwatch(): void {
    for (const end of this.ends.splice(0)) end()
  }

  private restart(): void {
    this.unwatch()
    const held = [...this.sim.node.snapshot()]
    this.sim = this.boot()
    this.sim.node.load(held, this.sim.now)
  }

  /** Everything ends, and is forgotten. */
  end(): void {
    this.unwatch()
    const { sim } = this
    sim.execute({ kind: 'clearOverrides', refs: KEYS })
    for (const { namespace, service } of KEYS) {
      sim.execute({ kind: 'declareService', namespace, service, settings: null })
      sim.execute({ kind: 'unfreeze', namespace })
    }
    for (const key of KEYS) sim.execute({ kind: 'deregister', refs: [key], by: 'ops' })
    sim.run(3 * RETENTION_MS)
  }
}

function learnable({ node }: Simulation): Learnable[] {
  return [...node.snapshot()].filter((entry): entry is Learnable => entry.kind !== 'forget')
}

/** Every book. What is alive of the heap is none. */
function booksOf(budgets: NodeBudgets): Budget[] {
  return Object.values(budgets).filter((budget): budget is Budget => budget instanceof Budget)
}

/** What each says, by peer. */
function toldBy(budgets: NodeBudgets): object[] {
  return booksOf(budgets).map((budget) => ({
    quota: budget.quota,
    used: budget.used,
    held: Object.fromEntries(budget['held']),
  }))
}

describe('the books', () => {
  it('give back what an override cost that was taken back and is remembered no longer', () => {
    const world = new World()
    const key = KEYS[0] as InstanceKey
    for (const what of ['register', 'disable', 'clear', 'pass all'] as const)
      world.do({ what, key, peer: '10.0.0.1', incarnation: 1 })
    expect(toldBy(world.sim.node.budgets)).toEqual(toldBy(recount(world.sim.node)))
  })

  it('say what is held, whatever happened, and nothing in the end', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const world = new World()
        for (const step of all) {
          world.do(step)
          expect(toldBy(world.sim.node.budgets), step.what).toEqual(toldBy(recount(world.sim.node)))
        }
        world.end()
        for (const { quota, used, peers } of booksOf(world.sim.node.budgets))
          expect([quota, used, peers]).toEqual([quota, 0, 0])
      }),
      { numRuns: 200 },
    )
  })
})
