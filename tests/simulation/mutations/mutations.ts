/**
 * Planted bugs, each a rule of the design that does not hold. They reach into the code under test by names that the
 * compiler knows (`npx tsc -p tsconfig.tests.json`): a refactoring that breaks one does not compile.
 */
import { Link, MergedList, Mirror, type MirrorChange } from '@rollcall/client/internal'
import type {
  GoneContent,
  LiveContent,
  LivenessOptions,
  RegisterCommand,
  RegistryNode,
  Step,
  Update,
  VerdictValue,
} from '@rollcall/core'
import type {
  Consumer,
  Directory,
  Entry,
  EntrySlot,
  Evidence,
  Facts,
  JudgedClock,
  LivenessRules,
  LivenessDeps,
  Publisher,
  Registrar,
  ServiceBreaker,
  Sessions,
  SubscribedView,
  VerdictReason,
  WatcherBreaker,
} from '@rollcall/core/internal'
import type { NodeDriver } from '@rollcall/server'
import type { ErrorBody, ResolvedRef } from '@rollcall/wire'
import { replace } from './replace.js'
import type { Sabotage } from '../world/world.js'

/** A bug to plant: a rule of the design that does not hold. */
export interface Mutation {
  readonly name: string
  /** The rule that it switches off, as the design has it. */
  readonly rule: string
  readonly sabotage: Sabotage
}

function node(name: string, rule: string, plant: (driver: NodeDriver) => void): Mutation {
  return { name, rule, sabotage: { node: plant } }
}

function client(name: string, rule: string, everywhere: () => () => void): Mutation {
  return { name, rule, sabotage: { everywhere } }
}

function partsOf(driver: NodeDriver): {
  readonly directory: Directory
  readonly registrar: Registrar
  readonly liveness: LivenessRules
  readonly publisher: Publisher
} {
  const inner: RegistryNode = driver['node']
  const { directory, liveness, publisher } = inner
  return { directory, registrar: inner['registrar'], liveness, publisher }
}

/** A record that lets anything in: as if it were of an older incarnation. */
function lower(entry: Entry, incarnation: number): void {
  entry.record = { ...entry.record, incarnation: incarnation - 1 }
}

function isGone({ record }: Entry): boolean {
  return record.content.intent === 'gone'
}

/** Whatever is observed from now on: `change` is done to its evidence. */
function changeEvidence(driver: NodeDriver, change: (evidence: Evidence) => void): void {
  const slot: EntrySlot<Evidence> = partsOf(driver).liveness['evidence']
  replace(slot, 'set', (original, _slot, entry, evidence) => {
    original(entry, evidence)
    if (evidence !== undefined) change(evidence)
  })
}

const RECORDS: readonly Mutation[] = [
  node('arrival-order', 'the higher incarnation wins, whatever arrives last', (driver) => {
    const { registrar, directory } = partsOf(driver)
    const register = registrar['register'].bind(registrar)
    registrar['register'] = (command: RegisterCommand, step: Step) => {
      const entry = directory.entry(command)
      const { incarnation } = command
      if (entry !== undefined && incarnation !== undefined && incarnation < entry.record.incarnation)
        lower(entry, incarnation)
      return register(command, step)
    }
  }),
  node('gone-returns', 'gone absorbs its incarnation', (driver) => {
    const { registrar, directory } = partsOf(driver)
    const register = registrar['register'].bind(registrar)
    registrar['register'] = (command: RegisterCommand, step: Step) => {
      const entry = directory.entry(command)
      if (entry !== undefined && isGone(entry) && command.incarnation === entry.record.incarnation)
        lower(entry, command.incarnation)
      return register(command, step)
    }
  }),
  node('unknown-gone-ignored', 'a deregistration of an unknown incarnation is stored', (driver) => {
    const { registrar, directory } = partsOf(driver)
    const deregister = registrar['deregister'].bind(registrar)
    registrar['deregister'] = (ref: ResolvedRef, by: GoneContent['by'], step: Step) => {
      const entry = directory.entry(ref)
      const known = entry !== undefined && (ref.incarnation ?? 0) <= entry.record.incarnation
      return known ? deregister(ref, by, step) : 'unknown'
    }
  }),
  node('short-retention', 'gone is remembered for the retention', (driver) => {
    const changed: Partial<LivenessOptions> = { retentionMs: 100 }
    Object.assign(partsOf(driver).liveness['options'], changed)
  }),
  node('gone-not-recovered', 'the journal keeps gone', (driver) => {
    replace(driver, 'load', (original, _driver, entries) =>
      original(
        [...entries].filter((entry) => entry.kind !== 'record' || entry.record.content.intent !== 'gone'),
      ),
    )
  }),
  node('nameless-renewal-is-new', 'a nameless registration of the same address is a renewal', (driver) => {
    const { registrar, directory } = partsOf(driver)
    const register = registrar['register'].bind(registrar)
    registrar['register'] = (command: RegisterCommand, step: Step) => {
      const entry = directory.entry(command)
      const anew = command.incarnation === undefined && entry !== undefined && !isGone(entry)
      return anew ? registrar['accept'](command, entry.record.incarnation + 1, step) : register(command, step)
    }
  }),
  node(
    'nameless-beat-vouches',
    'a beat without incarnation counts only for a record without one',
    (driver) => {
      const { registrar, directory } = partsOf(driver)
      const beat = registrar['beat'].bind(registrar)
      registrar['beat'] = (ref: ResolvedRef, now: number) => {
        const incarnation = ref.incarnation ?? directory.entry(ref)?.record.incarnation
        return beat(incarnation === undefined ? ref : { ...ref, incarnation }, now)
      }
    },
  ),
  node('ghost-keeps-address', 'an unheard holder gives way at its own address', (driver) => {
    const { registrar } = partsOf(driver)
    const tooLate = registrar['tooLate'].bind(registrar)
    registrar['tooLate'] = (entry: Entry, incarnation: number, command: RegisterCommand, step: Step) =>
      tooLate(entry, incarnation, { ...command, port: 1 }, step)
  }),
  node('id-never-taken', 'a number is not raised against the living', (driver) => {
    const { registrar } = partsOf(driver)
    const tooLate = registrar['tooLate'].bind(registrar)
    registrar['tooLate'] = (entry: Entry, incarnation: number, command: RegisterCommand, step: Step) => {
      const error: ErrorBody = tooLate(entry, incarnation, command, step)
      return error.code === 'id_taken' ? { ...error, code: 'superseded' } : error
    }
  }),
  node('removed-untold', 'the session of what others deregister is told', (driver) => {
    const sessions: Sessions = partsOf(driver).liveness['sessions']
    replace(sessions, 'tell', () => undefined)
  }),
]

const LIVENESS: readonly Mutation[] = [
  node('no-refutation', 'live evidence refutes', (driver) => {
    const { liveness } = partsOf(driver)
    const judge = liveness['judge'].bind(liveness)
    liveness['judge'] = (
      evidence: Evidence,
      value: VerdictValue,
      reason: VerdictReason,
      t: number,
      now: number,
    ) => {
      if (value !== 'up') judge(evidence, value, reason, t, now)
    }
  }),
  node('verdict-takes-content', 'a verdict leaves alone what the provider says', (driver) => {
    const { liveness, directory } = partsOf(driver)
    const { verdicts }: LivenessDeps = liveness['deps']
    replace(verdicts, 'write', (original, _verdicts, entry, value, reason, cause, now) => {
      original(entry, value, reason, cause, now)
      const { content } = entry.record
      if (value !== 'up' || content.intent === 'gone' || content.intent === 'up') return
      const changed = { ...content, intent: 'up' as const, rev: content.rev + 1 }
      directory.propose({ ...entry.record, content: changed }, cause, now)
    })
  }),
  node('no-baseline-needed', 'a refusal votes only where a connection was once possible', (driver) => {
    changeEvidence(driver, (evidence) => {
      evidence.baseline = 'own'
    })
  }),
  node('no-stall-shift', "a stall of the node is no instance's silence", (driver) => {
    const clock: JudgedClock = partsOf(driver).liveness['clock']
    replace(clock, 'tick', () => true)
    replace(clock, 'at', (_original, _clock, now) => now)
  }),
  node('no-wake-grace', 'after a long stall closed sessions get a lease', (driver) => {
    const clock: JudgedClock = partsOf(driver).liveness['clock']
    replace(clock, 'tick', (original, _clock, now) => {
      const judges = original(now)
      clock.wokeAt = -Infinity
      return judges
    })
  }),
  node('dead-on-close', 'a closed session is probed, and has its grace', (driver) => {
    const { liveness } = partsOf(driver)
    replace(liveness, 'closeSession', (original, _liveness, session, now) => {
      const vouched = [...session.vouched]
      original(session, now)
      for (const evidence of vouched) {
        if (evidence.session === session) liveness['judge'](evidence, 'down', 'session_closed', now, now)
      }
    })
  }),
  node('close-unnoticed', 'a closed session is judged at once', (driver) => {
    replace(partsOf(driver).liveness, 'closeSession', () => undefined)
  }),
  node('last-session-wins', 'every open session that vouched goes on vouching', (driver) => {
    const others: keyof Evidence = 'others'
    changeEvidence(driver, (evidence) => Object.defineProperty(evidence, others, { get: () => [], set() {} }))
  }),
  node('pings-unheard', 'any byte of a session is evidence', (driver) => {
    replace(partsOf(driver).liveness, 'heardSession', () => undefined)
  }),
  node('kernel-is-process', 'a bare TCP success proves a kernel, not a process', (driver) => {
    const { liveness, directory } = partsOf(driver)
    replace(liveness, 'probed', (original, _liveness, request, outcome, now) => {
      const entry = directory.entry(request.key)
      const asked = request.purpose === 'evidence' && entry?.record.incarnation === request.incarnation
      if (outcome === 'succeeded' && asked) liveness.hear(entry, now, 'probe')
      original(request, outcome, now)
    })
  }),
  node('loaded-counts-as-heard', 'silence counts only for a node that has itself heard', (driver) => {
    const { liveness } = partsOf(driver)
    const factsOf = liveness['facts'].bind(liveness)
    liveness['facts'] = (about: Evidence, content: LiveContent): Facts => {
      const facts: Facts = factsOf(about, content)
      const { evidence } = facts
      return { ...facts, evidence: { ...evidence, heardAt: evidence.heardAt ?? evidence.startedAt } }
    }
  }),
  node('unheard-trusted', 'what was never heard may be doubted after a lease', (driver) => {
    const { liveness } = partsOf(driver)
    const lookAt = liveness['lookAt'].bind(liveness)
    liveness['lookAt'] = (evidence: Evidence, t: number, now: number) => {
      if (evidence.heardAt !== undefined || evidence.session !== undefined) lookAt(evidence, t, now)
    }
  }),
  node('silence-takes-all', 'silence takes no more than its share of a service', (driver) => {
    const { guards } = partsOf(driver).liveness
    const services: ServiceBreaker = guards['services']
    const watcher: WatcherBreaker = guards['watcher']
    replace(services, 'permitsDeath', () => true)
    replace(watcher, 'trustsSilence', () => true)
  }),
]

const WRITING: readonly Mutation[] = [
  node('ack-before-commit', 'acknowledged after the commit', (driver) => {
    driver['commits'].settled = () => Promise.resolve('disk')
  }),
  node('beats-write', 'a heartbeat never touches the disk', (driver) => {
    const { registrar, directory } = partsOf(driver)
    const beat = registrar['beat'].bind(registrar)
    registrar['beat'] = (ref: ResolvedRef, now: number) => {
      const entry = directory.entry(ref)
      if (entry !== undefined) driver['commits'].add({ kind: 'record', record: entry.record })
      return beat(ref, now)
    }
  }),
]

const TELLING: readonly Mutation[] = [
  node('slow-forgotten', 'a slow subscriber gets the full view when it has drained', (driver) => {
    partsOf(driver).publisher['drained'] = (consumer: Consumer) => {
      consumer.stalled = false
      consumer.missed.clear()
    }
  }),
  node('watches-leak', 'a closed stream leaves nothing behind', (driver) => {
    partsOf(driver).publisher['unwatch'] = () => {}
  }),
  client('merging-client', 'the client mirrors, it does not merge', () =>
    replace(Mirror.prototype, 'replace', (original, mirror, view) => {
      const listed = new Set(view.instances.map(({ group, id }) => `${group}/${id}`))
      const kept = mirror.instances.filter(({ group, id }) => !listed.has(`${group}/${id}`))
      return trust(original({ ...view, instances: [...view.instances, ...kept] }))
    }),
  ),
  {
    name: 'sums-unchecked',
    rule: 'a list that does not add up is sent again',
    sabotage: {
      // Deltas go lost now and then, and no client minds.
      node: (driver) => {
        let count = 0
        const { publisher } = partsOf(driver)
        const deliver = publisher['deliver'].bind(publisher)
        publisher['deliver'] = (consumer: Consumer, view: SubscribedView, update: Update) => {
          if (update.kind !== 'delta' || ++count % 7 !== 0) deliver(consumer, view, update)
        }
      },
      everywhere: () =>
        replace(Mirror.prototype, 'apply', (original, _mirror, delta) => trust(original(delta))),
    },
  },
  client('anything-said-is-a-ping', 'a client that hears nothing asks, whatever it says itself', () =>
    replace(Link.prototype, 'pingAt', (original, _link, connection) =>
      original({ ...connection, lastHeardAt: Infinity }),
    ),
  ),
  client('reasons-lost', 'removes carry their reason', () => {
    const mute = (change: MirrorChange): MirrorChange => ({
      ...change,
      removes: change.removes.map(({ instance }) => ({ instance })),
    })
    const ends = [
      replace(Mirror.prototype, 'apply', (original, _mirror, delta) => mute(original(delta))),
      replace(Mirror.prototype, 'replace', (original, _mirror, view) => mute(original(view))),
    ]
    return () => {
      for (const end of ends) end()
    }
  }),
  client('first-cluster-only', 'what any cluster lists is listed', () =>
    replace(MergedList.prototype, 'show', (original, _list, answers) => original(answers.slice(0, 1))),
  ),
]

/** Every rule switched off in turn. */
export const MUTATIONS: readonly Mutation[] = [...RECORDS, ...LIVENESS, ...WRITING, ...TELLING]

/** The mutation of a name; throws for an unknown one. */
export function mutationNamed(name: string): Mutation {
  const mutation = MUTATIONS.find((each) => each.name === name)
  if (mutation === undefined) throw new Error(`no mutation is called ${name}`)
  return mutation
}

/** A client that believes what it computed. */
function trust(change: MirrorChange): MirrorChange {
  return { ...change, verified: true }
}
