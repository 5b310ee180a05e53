/** Whatever happens in whatever order, each account holds what its budgets are for, and in the end nothing. */
import type { ErrorBody } from '@rollcall/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { NodeBudgets } from './budgets/node-budgets.js'
import { ACCOUNTS, type Account } from './directory/accounts.js'
import type { Entry } from './directory/nodes.js'
import type { Subscription } from './publishing/subscription.js'
import { recordBytes } from './records/size.js'
import { command, keyOf, Simulation } from './simulated-node.fixture.js'

const IDS = ['a', 'b', 'c', 'd']
const PEERS = ['10.0.0.1', '10.0.0.2', '2001:db8::1', '2001:db8::2']
const NAMES = ['orders', 'users']
const RETENTION_MS = 60_000

const id = fc.constantFrom(...IDS)
const peer = fc.constantFrom(...PEERS, undefined)
const service = fc.constantFrom(...NAMES)
const incarnation = fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined })
const text = fc.constantFrom('', 'x', 'xxxxxxxxxxxxxxxx', 'ü語')

/** One thing that may happen. */
type Step = (sim: Simulation, watchers: Subscription[]) => unknown

const named = <T extends object>(key: T, number: number | undefined): T & { incarnation?: number } =>
  number === undefined ? key : { ...key, incarnation: number }

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(id, peer, service, incarnation, text).map(register) },
  { weight: 4, arbitrary: fc.tuple(id, peer, service, incarnation, text).map(deregister) },
  { weight: 6, arbitrary: fc.tuple(id, service, text, fc.boolean()).map(override) },
  { weight: 1, arbitrary: fc.tuple(service, text, peer, fc.boolean()).map(declare) },
  { weight: 1, arbitrary: service.map(restore) },
  { weight: 2, arbitrary: fc.tuple(id, peer, service).map(watch) },
  { weight: 1, arbitrary: fc.nat().map(leave) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(100, 20_000, 70_000).map((ms) => (sim: Simulation) => sim.run(ms)),
  },
)

function register([name, at, of, number, note]: [
  string,
  string | undefined,
  string,
  number | undefined,
  string,
]): Step {
  // Some outlive whatever is said of them.
  const liveness = name === 'a' ? 'static' : 'lease'
  const item = named({ ...command({ id: name, service: of, liveness }), metadata: { note } }, number)
  return (sim) => sim.execute({ kind: 'register', items: [item] }, at)
}

function deregister([name, at, of, number, by]: [
  string,
  string | undefined,
  string,
  number | undefined,
  string,
]): Step {
  const refs = [named({ ...keyOf(name), service: of }, number)]
  return (sim) => sim.execute({ kind: 'deregister', refs, ...(by === '' ? {} : { by }) }, at)
}

function override([name, of, why, clears]: [string, string, string, boolean]): Step {
  const refs = [{ ...keyOf(name), service: of }]
  return (sim) =>
    clears
      ? sim.execute({ kind: 'clearOverrides', refs, why })
      : sim.execute({ kind: 'override', refs, drain: true, why, durationMs: 30_000 })
}

function declare([of, owner, at, takesBack]: [string, string, string | undefined, boolean]): Step {
  const settings = takesBack ? null : { metadata: { owner } }
  return (sim) => sim.execute({ kind: 'declareService', namespace: 'default', service: of, settings }, at)
}

function restore(of: string): Step {
  return (sim) => sim.execute({ kind: 'restore', namespace: 'default', service: of })
}

function watch([name, at, of]: [string, string | undefined, string]): Step {
  return (sim, watchers) => {
    const watcher = sim.node.publisher.subscribe({ deliver() {} }, () => sim.now, at)
    watcher.watch([
      { namespace: 'default', service: of },
      { namespace: 'default', service: of, group: name },
    ])
    watchers.push(watcher)
    if (watchers.length % 2 === 0) watcher.unwatch([{ namespace: 'default', service: of }])
  }
}

function leave(place: number): Step {
  return (_sim, watchers) => watchers.splice(place % Math.max(1, watchers.length), 1)[0]?.close()
}

/** What the accounts of a node say, and what they should by its records. */
function books({ node }: Simulation): readonly [said: object, found: object] {
  const { accounts } = node.directory
  const entries = [...node.directory.entries()]
  const sum = (account: Account, of: (entry: Entry) => number): number =>
    entries.filter((entry) => entry.account === account).reduce((total, entry) => total + of(entry), 0)
  const found = ACCOUNTS.map((account) => ({
    records: sum(account, () => 1),
    bytes: sum(account, ({ record }) => recordBytes(record)),
  }))
  const [listed, expired, deregistered, stray] = found
  const { instances, recordBytes: registered, strayBytes } = node.budgets
  const said = ACCOUNTS.map((account) => ({ ...accounts.balance(account) }))
  return [
    { said, used: [instances.used, registered.used, strayBytes.used] },
    {
      said: found,
      used: [
        listed?.records,
        (listed?.bytes ?? 0) + (expired?.bytes ?? 0) + (deregistered?.bytes ?? 0),
        stray?.bytes,
      ],
    },
  ]
}

/** What is still held, by quota. */
function held({ heap, ...budgets }: NodeBudgets): object {
  return {
    heap: heap.used,
    ...Object.fromEntries(Object.values(budgets).map(({ quota, used, peers }) => [quota, used + peers])),
  }
}

function nothing(budgets: NodeBudgets): object {
  return Object.fromEntries(Object.values(budgets).map(({ quota }) => [quota, 0]))
}

function isRefusal(answer: unknown): answer is ErrorBody {
  return typeof answer === 'object' && answer !== null && 'code' in answer
}

describe('accounts', () => {
  it('say what is held after each step, also of a node that was started anew, and nothing when all has gone', () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 40, size: 'max' }), (happens) => {
        const sim = new Simulation({ liveness: { retentionMs: RETENTION_MS } })
        const watchers: Subscription[] = []
        for (const step of happens) {
          step(sim, watchers)
          const [said, found] = books(sim)
          expect(said).toEqual(found)
        }
        const again = new Simulation({ liveness: { retentionMs: RETENTION_MS } })
        again.node.load(sim.node.snapshot(), again.now)
        const [said, found] = books(again)
        expect(said).toEqual(found)
        for (const watcher of watchers) watcher.close()
        for (const each of [sim, again]) {
          for (const of of NAMES) {
            const refs = IDS.map((name) => ({ ...keyOf(name), service: of }))
            expect(isRefusal(each.execute({ kind: 'clearOverrides', refs }))).toBe(false)
            each.execute({ kind: 'deregister', refs, by: 'test' })
            each.execute({ kind: 'declareService', namespace: 'default', service: of, settings: null })
          }
          each.run(2 * RETENTION_MS + 30_000)
          expect(held(each.node.budgets)).toEqual(nothing(each.node.budgets))
        }
      }),
      { numRuns: 200 },
    )
  })
})
