import { Link, MergedList, Mirror, type MirrorChange } from '@rollcall/client/internal'
import type { JournalEntry, RegisterCommand, StoredRecord } from '@rollcall/core'
import type { NodeDriver } from '@rollcall/server'
import type { ErrorBody, ResolvedRef } from '@rollcall/wire'
import { type Inner, partOf, replaceMethod } from './inside.js'
import { replace } from './replace.js'
import type { Sabotage } from '../world/world.js'

/** A bug to plant: a rule of the design that does not hold. */
export interface Mutation {
  readonly name: string
  /** The rule that it switches off, as the design has it. */
  readonly rule: string
  readonly sabotage: Sabotage
}

/** An entry of the directory, as far as bugs reach for it. */
interface Held {
  record: StoredRecord
  state: string | null
}

function node(name: string, rule: string, plant: (driver: NodeDriver) => void): Mutation {
  return { name, rule, sabotage: { node: plant } }
}

function client(name: string, rule: string, everywhere: () => () => void): Mutation {
  return { name, rule, sabotage: { everywhere } }
}

function held(driver: NodeDriver, key: unknown): Held | undefined {
  const directory = partOf(driver, 'node.directory')
  const entry = (directory['entry'] as (key: unknown) => Held | undefined).bind(directory)
  return entry(key)
}

/** A record that lets anything in: as if it were of an older incarnation. */
function lower(entry: Held, incarnation: number): void {
  entry.record = { ...entry.record, incarnation: incarnation - 1 }
}

function isGone({ record }: Held): boolean {
  return record.content.intent === 'gone'
}

/** Everybody who registered is watched by a fresh watch: `change` is done to it. */
function changeWatches(driver: NodeDriver, change: (evidence: Inner) => void): void {
  const slot = partOf(driver, 'node.liveness.evidence')
  replaceMethod(slot, 'set', (original, ...args: unknown[]) => {
    original(...args)
    const evidence = args[1] as Inner | undefined
    if (evidence === undefined) return
    change(evidence)
  })
}

const RECORDS: readonly Mutation[] = [
  node('arrival-order', 'the higher incarnation wins, whatever arrives last', (driver) => {
    const registrar = partOf(driver, 'node.registrar')
    replaceMethod(registrar, 'register', (original, command: RegisterCommand, ...rest: unknown[]) => {
      const entry = held(driver, command)
      const { incarnation } = command
      if (entry !== undefined && incarnation !== undefined && incarnation < entry.record.incarnation)
        lower(entry, incarnation)
      return original(command, ...rest)
    })
  }),
  node('gone-returns', 'gone absorbs its incarnation', (driver) => {
    const registrar = partOf(driver, 'node.registrar')
    replaceMethod(registrar, 'register', (original, command: RegisterCommand, ...rest: unknown[]) => {
      const entry = held(driver, command)
      if (entry !== undefined && isGone(entry) && command.incarnation === entry.record.incarnation)
        lower(entry, command.incarnation)
      return original(command, ...rest)
    })
  }),
  node('unknown-gone-ignored', 'a deregistration of an unknown incarnation is stored', (driver) => {
    const registrar = partOf(driver, 'node.registrar')
    replaceMethod(registrar, 'deregister', (original, ref: ResolvedRef, ...rest: unknown[]) => {
      const entry = held(driver, ref)
      const known = entry !== undefined && (ref.incarnation ?? 0) <= entry.record.incarnation
      return known ? original(ref, ...rest) : 'unknown'
    })
  }),
  node('short-retention', 'gone is remembered for the retention', (driver) => {
    const liveness = partOf(driver, 'node.liveness')
    liveness['options'] = { ...partOf(liveness, 'options'), retentionMs: 100 }
  }),
  node('gone-not-recovered', 'the journal keeps gone', (driver) => {
    replaceMethod(driver, 'load', (original, entries: Iterable<JournalEntry>) =>
      original(
        [...entries].filter((entry) => entry.kind !== 'record' || entry.record.content.intent !== 'gone'),
      ),
    )
  }),
  node('nameless-renewal-is-new', 'a nameless registration of the same address is a renewal', (driver) => {
    const registrar = partOf(driver, 'node.registrar')
    replaceMethod(registrar, 'register', (original, command: RegisterCommand, ...rest: unknown[]) => {
      const entry = held(driver, command)
      const anew = command.incarnation === undefined && entry !== undefined && !isGone(entry)
      if (!anew) return original(command, ...rest)
      const accept = (registrar['accept'] as (...args: unknown[]) => unknown).bind(registrar)
      return accept(command, entry.record.incarnation + 1, rest[0])
    })
  }),
  node(
    'nameless-beat-vouches',
    'a beat without incarnation counts only for a record without one',
    (driver) => {
      const registrar = partOf(driver, 'node.registrar')
      replaceMethod(registrar, 'beat', (original, ref: ResolvedRef, now: number) => {
        const incarnation = ref.incarnation ?? held(driver, ref)?.record.incarnation
        return original(incarnation === undefined ? ref : { ...ref, incarnation }, now)
      })
    },
  ),
  node('ghost-keeps-address', 'an unheard holder gives way at its own address', (driver) => {
    const registrar = partOf(driver, 'node.registrar')
    replaceMethod(
      registrar,
      'tooLate',
      (original, entry: Held, number: number, command: RegisterCommand, now: number) =>
        original(entry, number, { ...command, port: 1 }, now),
    )
  }),
  node('id-never-taken', 'a number is not raised against the living', (driver) => {
    const registrar = partOf(driver, 'node.registrar')
    replaceMethod(registrar, 'tooLate', (original, entry: Held, number: number, ...rest: unknown[]) => {
      const error = original(entry, number, ...rest) as ErrorBody
      return error.code === 'id_taken' ? { ...error, code: 'superseded' } : error
    })
  }),
  node('removed-untold', 'who is deregistered by others is told', (driver) => {
    replaceMethod(partOf(driver, 'node.liveness.sessions'), 'tell', () => undefined)
  }),
]

const LIVENESS: readonly Mutation[] = [
  node('no-refutation', 'live evidence refutes', (driver) => {
    const liveness = partOf(driver, 'node.liveness')
    replaceMethod(liveness, 'judge', (original, ...args: unknown[]) => {
      if (args[1] !== 'up') original(...args)
    })
  }),
  node('verdict-takes-content', 'a verdict leaves alone what the provider says', (driver) => {
    const directory = partOf(driver, 'node.directory')
    const propose = (directory['propose'] as (record: StoredRecord, ...rest: unknown[]) => void).bind(
      directory,
    )
    const verdicts = partOf(driver, 'node.liveness.deps.verdicts')
    replaceMethod(verdicts, 'write', (original, entry: Held, value: string, ...rest: unknown[]) => {
      original(entry, value, ...rest)
      const { content } = entry.record
      if (value !== 'up' || content.intent === 'gone' || content.intent === 'up') return
      propose(
        { ...entry.record, content: { ...content, intent: 'up', rev: content.rev + 1 } },
        rest[1],
        rest[2],
      )
    })
  }),
  node('no-baseline-needed', 'a refusal votes only where a connection was once possible', (driver) => {
    changeWatches(driver, (watch) => {
      watch['baseline'] = true
    })
  }),
  node('no-stall-shift', "a stall of the node is no instance's silence", (driver) => {
    const clock = partOf(driver, 'node.liveness.clock')
    replaceMethod(clock, 'tick', () => true)
    replaceMethod(clock, 'at', (_original, now: number) => now)
  }),
  node('no-wake-grace', 'after a long stall closed sessions get a lease', (driver) => {
    Object.defineProperty(partOf(driver, 'node.liveness.clock'), 'wokeAt', { get: () => -Infinity, set() {} })
  }),
  node('dead-on-close', 'a closed session is probed, and has its grace', (driver) => {
    const liveness = partOf(driver, 'node.liveness')
    replaceMethod(liveness, 'closeSession', (original, session: Inner, now: number) => {
      const watches = [...(session['vouched'] as Set<Inner>)]
      original(session, now)
      const judge = (liveness['judge'] as (...args: unknown[]) => void).bind(liveness)
      for (const watch of watches) {
        if (watch['session'] === session) judge(watch, 'down', 'session_closed', now, now)
      }
    })
  }),
  node('close-unnoticed', 'a closed session is judged at once', (driver) => {
    replaceMethod(partOf(driver, 'node.liveness'), 'closeSession', () => undefined)
  }),
  node('last-session-wins', 'every open session that vouched goes on vouching', (driver) => {
    const alone = (watch: Inner | undefined): void => {
      if (watch !== undefined) Object.defineProperty(watch, 'others', { get: () => [], set() {} })
    }
    changeWatches(driver, alone)
  }),
  node('pings-unheard', 'any byte of a session is evidence', (driver) => {
    replaceMethod(partOf(driver, 'node.liveness'), 'heardSession', () => undefined)
  }),
  node('kernel-is-process', 'a bare TCP success proves a kernel, not a process', (driver) => {
    const liveness = partOf(driver, 'node.liveness')
    replaceMethod(liveness, 'probed', (original, request: Inner, outcome: string, now: number) => {
      const entry = held(driver, request['key'])
      const evidence =
        request['purpose'] === 'evidence' && entry?.record.incarnation === request['incarnation']
      if (outcome === 'succeeded' && evidence)
        (liveness['hear'] as (...args: unknown[]) => void).call(liveness, entry, now)
      return original(request, outcome, now)
    })
  }),
  node('loaded-counts-as-heard', 'silence counts only for a node that has itself heard', (driver) => {
    replaceMethod(partOf(driver, 'node.liveness'), 'facts', (original, ...args: unknown[]) => {
      const facts = original(...args) as Inner
      const watch = facts['evidence'] as Inner
      return { ...facts, evidence: { ...watch, heardAt: watch['heardAt'] ?? watch['startedAt'] } }
    })
  }),
  node('unheard-trusted', 'who was never heard may be doubted after a lease', (driver) => {
    replaceMethod(partOf(driver, 'node.liveness'), 'lookAt', (original, watch: Inner, ...rest: unknown[]) => {
      if (watch['heardAt'] !== undefined || watch['session'] !== undefined) original(watch, ...rest)
    })
  }),
  node('silence-takes-all', 'silence takes no more than its share of a service', (driver) => {
    const liveness = partOf(driver, 'node.liveness')
    replaceMethod(partOf(liveness, 'guards.services'), 'permitsDeath', () => true)
    replaceMethod(partOf(liveness, 'guards.watcher'), 'trustsSilence', () => true)
  }),
]

const WRITING: readonly Mutation[] = [
  node('ack-before-commit', 'acknowledged after the commit', (driver) => {
    replaceMethod(partOf(driver, 'commits'), 'settled', () => Promise.resolve('disk'))
  }),
  node('beats-write', 'a heartbeat never touches the disk', (driver) => {
    replaceMethod(partOf(driver, 'node.registrar'), 'beat', (original, ref: ResolvedRef, now: number) => {
      const entry = held(driver, ref)
      const commits = partOf(driver, 'commits')
      const add = (commits['add'] as (entry: JournalEntry) => void).bind(commits)
      if (entry !== undefined) add({ kind: 'record', record: entry.record })
      return original(ref, now)
    })
  }),
]

const TELLING: readonly Mutation[] = [
  node('slow-forgotten', 'a slow subscriber gets the full view when it has drained', (driver) => {
    replaceMethod(partOf(driver, 'node.publisher'), 'drained', (_original, consumer: Inner) => {
      consumer['stalled'] = false
      ;(consumer['missed'] as Set<unknown>).clear()
    })
  }),
  node('watches-leak', 'a closed stream leaves nothing behind', (driver) => {
    replaceMethod(partOf(driver, 'node.publisher'), 'unwatch', () => undefined)
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
        replaceMethod(partOf(driver, 'node.publisher'), 'deliver', (original, ...args: unknown[]) => {
          const { kind } = args[2] as { readonly kind: string }
          if (kind !== 'delta' || ++count % 7 !== 0) original(...args)
        })
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
