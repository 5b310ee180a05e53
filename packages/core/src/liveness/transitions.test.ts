/** Walks the whole table with a real node: each cell is reached, or its circumstances come and it is not. */
import { describe, expect, it } from 'vitest'
import { ref, Simulation } from '../simulated-node.fixture.js'
import type { RegisterCommand } from '../commands.js'
import type { Entry } from '../directory/directory.js'
import type { LivenessRules } from './liveness.js'
import {
  type Cell,
  LIVENESS_EVENTS,
  LIVENESS_TABLE,
  type LivenessEvent,
  type Standing,
  standingOf,
  STANDINGS,
} from './transitions.js'
import { type SessionEvidence, type Evidence } from './evidence.js'
import { LIVENESS_DEFAULTS } from './options.js'
import type { StoredRecord } from '../records/record.js'

/** How the instance under trial lives. */
type Kind = 'beats' | 'session' | 'endpoint' | 'http' | 'loaded'

const KINDS: Record<Kind, Partial<RegisterCommand>> = {
  beats: {},
  session: {},
  endpoint: { liveness: 'probe', probe: { type: 'tcp' } },
  http: { probe: { type: 'http' } },
  loaded: {},
}

/** An instance `a` among others that are always up, and a record of which cells were looked up. */
class Trial {
  readonly sim = new Simulation({
    liveness: { ...LIVENESS_DEFAULTS, removalMs: 20_000, retentionMs: 120_000 },
  })
  readonly lookedUp = new Set<string>()
  session: SessionEvidence | undefined

  constructor(kind: Kind) {
    const { sim } = this
    sim.register({ id: 'b', liveness: 'static' })
    sim.register({ id: 'c', liveness: 'static' })
    if (kind === 'session') this.session = sim.openSession()
    if (kind === 'loaded') {
      const former = new Simulation({ nodeId: 'former' })
      former.register({ incarnation: 5 })
      sim.node.load([...former.node.snapshot()], sim.now)
    } else {
      sim.register({ incarnation: 5, ...KINDS[kind] }, this.session)
      sim.run(1_500)
    }
    const { liveness } = sim.node as unknown as { readonly liveness: LivenessRules }
    const judge = liveness['judge']
    const original = judge.cell.bind(judge)
    judge.cell = (watch: Evidence, event: LivenessEvent): Cell => {
      if (watch.entry.record.id === 'a') this.lookedUp.add(`${standingOf(watch.entry.record)} ${event}`)
      return original(watch, event)
    }
  }

  standing(): Standing | undefined {
    const record = this.sim.record()
    return record === undefined ? undefined : standingOf(record)
  }

  /** A consumer could not reach it, and it refuses: dead at once. */
  kill(): void {
    this.sim.network = () => 'refused'
    this.sim.node.unreachable([ref('a')], this.sim.now)
    this.sim.run(1_200)
  }

  /** Nothing is heard and no probe answered until it has come that far. */
  silenceUntil(standing: Standing): void {
    this.sim.network = () => 'failed'
    for (let step = 0; step < 300 && this.standing() !== standing; step++) this.sim.run(200)
  }

  flip(): void {
    this.kill()
    this.sim.network = () => 'succeeded'
    this.sim.beat('a', 5)
  }

  reach(standing: Standing): void {
    if (standing === 'suspect' || standing === 'lost') this.silenceUntil(standing)
    if (standing === 'dead') this.kill()
    if (standing === 'expired') {
      this.kill()
      this.silenceUntil('expired')
    }
    if (standing === 'flapping') for (let flips = 0; flips < 3; flips++) this.flip()
    if (standing === 'gone') this.sim.deregister('a', 5)
    if (this.standing() !== standing) throw new Error(`it is ${this.standing()}, not ${standing}`)
    this.sim.mark()
    this.lookedUp.clear()
  }

  /** Another node judges it, as this one does. */
  judgedElsewhere(): void {
    const record = this.sim.record() as StoredRecord
    const verdict = { ...record.verdict, claim: record.verdict.claim + 1, node: 'elsewhere' }
    this.sim.node.learn([{ kind: 'record', record: { ...record, verdict } }], this.sim.now)
    this.sim.mark()
  }

  /** The instance's own lines since it was in its standing. */
  written(): string[] {
    return this.sim.transcript.filter((line) => line.includes(' a ')).map((line) => line.replace(/^\d+ /, ''))
  }
}

interface Circumstances {
  readonly kind?: Kind | ((standing: Standing) => Kind)
  /** What comes before the instance is brought into its standing. */
  readonly before?: (trial: Trial) => void
  readonly come: (trial: Trial, standing: Standing) => void
}

/** A minute in which nothing is heard and every probe ends like this; hidden records outlive it. */
function silence(answer: 'failed' | 'succeeded' | 'refused'): (trial: Trial) => void {
  return ({ sim }) => {
    sim.network = () => answer
    sim.run(60_000)
  }
}

const HIDDEN: readonly Standing[] = ['expired', 'gone']

const CIRCUMSTANCES: Record<LivenessEvent, Circumstances> = {
  registered: { come: ({ sim }) => sim.register({ incarnation: 6 }) },
  restored: {
    come: ({ sim }) => sim.execute({ kind: 'restore', namespace: 'default', service: 'orders', ids: ['a'] }),
  },
  deregistered: { come: ({ sim }) => sim.deregister('a', 5) },
  heard: { kind: 'session', come: ({ sim }) => sim.beat('a', 5) },
  flapped: {
    before: (trial) => {
      trial.flip()
      trial.flip()
    },
    come: ({ sim }, standing) => {
      sim.network = () => 'succeeded'
      if (standing === 'up') sim.register({ incarnation: 6 })
      else if (standing === 'flapping') sim.register({ incarnation: 5, rev: 2, port: 4_000 })
      else sim.beat('a', 5)
    },
  },
  moved: {
    come: (trial) => {
      trial.judgedElsewhere()
      trial.sim.register({ incarnation: 5 }, trial.sim.openSession())
    },
  },
  adopted: {
    kind: (standing) => (standing === 'expired' ? 'endpoint' : 'beats'),
    come: (trial) => {
      trial.judgedElsewhere()
      const entry = trial.sim.node.directory.entry(ref('a')) as Entry
      trial.sim.node.liveness.adopt(entry, trial.sim.now, trial.sim.now)
    },
  },
  behaved: {
    come: ({ sim }) => {
      sim.network = () => 'succeeded'
      for (let beats = 0; beats < 15; beats++) {
        sim.run(1_000)
        sim.beat('a', 5)
      }
    },
  },
  session_closed: {
    kind: 'session',
    come: ({ session }) => session?.close(),
  },
  grace_over: {
    kind: 'session',
    come: (trial) => {
      trial.sim.network = () => 'failed'
      trial.session?.close()
      trial.sim.run(1_000)
    },
  },
  half_lease_over: { come: silence('failed') },
  unconfirmed: { come: silence('failed') },
  lease_over: { come: silence('succeeded') },
  lease_unconfirmed: { come: silence('failed') },
  held_leases_over: { come: silence('succeeded') },
  never_heard: {
    kind: (standing) => (standing === 'up' || standing === 'suspect' ? 'loaded' : 'beats'),
    come: silence('failed'),
  },
  question_due: {
    kind: (standing) => {
      if (standing === 'suspect' || standing === 'flapping') return 'beats'
      return standing === 'lost' ? 'http' : 'endpoint'
    },
    come: (trial, standing) =>
      silence(standing === 'suspect' || standing === 'flapping' ? 'succeeded' : 'failed')(trial),
  },
  hinted: {
    come: ({ sim }) => {
      sim.run(1_100)
      sim.node.unreachable([ref('a')], sim.now)
    },
  },
  refused: {
    kind: (standing) => (standing === 'expired' || standing === 'dead' ? 'endpoint' : 'http'),
    come: (trial, standing) => {
      if (standing === 'up' || standing === 'flapping') return trial.kill()
      trial.sim.network = () => 'refused'
      trial.sim.run(18_000)
    },
  },
  removal_over: { come: silence('failed') },
  retention_over: {
    come: ({ sim }, standing) => {
      sim.network = () => 'failed'
      sim.run(HIDDEN.includes(standing) ? 125_000 : 10_000)
    },
  },
}

/** Events that others write a register for; the judge looks nothing up. */
const OTHERS: readonly LivenessEvent[] = ['registered', 'restored', 'deregistered']

const STANDING_NAMES = Object.keys(STANDINGS) as Standing[]
const EVENT_NAMES = Object.keys(LIVENESS_EVENTS) as LivenessEvent[]

describe.each(STANDING_NAMES)('an instance that is %s', (standing) => {
  it.each(EVENT_NAMES)('when %s', (event) => {
    const { kind = 'beats', before, come } = CIRCUMSTANCES[event]
    const trial = new Trial(typeof kind === 'string' ? kind : kind(standing))
    before?.(trial)
    trial.reach(standing)
    come(trial, standing)
    const cell = LIVENESS_TABLE[standing][event]
    const raised = !OTHERS.includes(event)
    if (raised) expect(trial.lookedUp.has(`${standing} ${event}`)).toBe(cell.does !== 'never')
    switch (cell.does) {
      case 'becomes': {
        const shown = cell.value === 'expired' ? 'hidden' : cell.value
        expect(trial.written()).toContain(`a ${shown} ${cell.reason}`)
        break
      }
      case 'claims':
        expect(trial.standing()).toBe(standing)
        expect(trial.sim.record()?.verdict).toMatchObject({ node: 'node-1', claim: 3 })
        break
      case 'asks':
        expect(trial.sim.asked('evidence')).not.toEqual([])
        break
      case 'buries':
        expect(trial.standing()).toBe('gone')
        break
      case 'forgets':
        expect(trial.standing()).toBeUndefined()
        break
      case 'stays':
        if (event !== 'flapped') expect(trial.written()).toEqual([])
        expect(trial.standing()).toBe(standing)
        break
      case 'never':
        if (!raised) expect(trial.written()).toEqual([])
    }
  })
})

it('after ten minutes of silence a death is no longer a matter of the breaker, and says so', () => {
  const trial = new Trial('beats')
  trial.sim.execute({ kind: 'freeze', namespace: 'default' })
  trial.silenceUntil('suspect')
  trial.sim.run(600_000)
  trial.sim.execute({ kind: 'unfreeze', namespace: 'default' })
  trial.sim.run(1_000)
  expect(trial.written().at(-1)).toBe('a down long_silence')
  expect(trial.standing()).toBe('dead')
})

it('a verdict of another release is judged by its value', () => {
  const trial = new Trial('beats')
  const record = trial.sim.record()!
  const verdict = { ...record.verdict, value: 'down', reason: 'of another release' } as const
  expect(standingOf({ ...record, verdict })).toBe('lost')
  expect(standingOf({ ...record, verdict: { ...verdict, value: 'suspect' } })).toBe('suspect')
})

it.each(Array.from({ length: 40 }, (_, index) => index + 1))(
  'no day raises what the table rules out (%i)',
  (seed) => {
    const below = drawing(seed)
    const kinds = Object.keys(KINDS) as Kind[]
    const trial = new Trial(kinds[below(kinds.length)] as Kind)
    for (let step = 0; step < 12; step++) {
      const standing = trial.standing()
      const event = EVENT_NAMES[below(EVENT_NAMES.length)] as LivenessEvent
      if (standing !== undefined && (trial.session !== undefined || CIRCUMSTANCES[event].kind !== 'session'))
        CIRCUMSTANCES[event].come(trial, standing)
    }
    const raised = [...trial.lookedUp].map((each) => each.split(' ') as [Standing, LivenessEvent])
    expect(raised.filter(([standing, event]) => LIVENESS_TABLE[standing][event].does === 'never')).toEqual([])
  },
)

/** Integers below a bound, the same for the same seed. */
function drawing(seed: number): (bound: number) => number {
  let state = seed
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
}
