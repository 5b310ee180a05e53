/**
 * Planted bugs, each a rule of the design that does not hold. They reach into the code under test by names that the
 * compiler knows (`npx tsc -p tsconfig.tests.json`): a refactoring that breaks one does not compile.
 */
import { Link, MergedList, Mirror, type MirrorChange } from '#client/internal'
import type {
  GoneContent,
  LiveContent,
  LivenessOptions,
  Queries,
  RegisterCommand,
  Step,
  Update,
} from '@rollcall/core'
import type { Consumer, Entry, LiveRecord, Sessions, Site, SubscribedView } from '#core/internal'
import type { ErrorBody, ResolvedRef } from '@rollcall/wire'
import { CLUSTER } from './cluster.js'
import { LIVENESS } from './liveness.js'
import { client, type Mutation, node, partsOf } from './mutation.js'
import { OPERATORS } from './operators.js'
import { replace } from './replace.js'

export type { Mutation } from './mutation.js'

/** A record that lets anything in: as if it were of an older incarnation. */
function lower(entry: Entry, incarnation: number): void {
  entry.record = { ...entry.record, incarnation: incarnation - 1 }
}

function isGone({ record }: Entry): boolean {
  return record.content.intent === 'gone'
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
    Object.assign(partsOf(driver).liveness['judge']['options'], changed)
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
      if (!anew) return register(command, step)
      return registrar['accept'](command, directory.site(command), entry.record.incarnation + 1, step)
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

const CONTENT: readonly Mutation[] = [
  node('weight-lost', 'what is acknowledged is listed', (driver) => {
    const { registrar } = partsOf(driver)
    const renew = registrar['renew'].bind(registrar)
    registrar['renew'] = (entry: Entry, record: LiveRecord, command: RegisterCommand, step: Step) =>
      renew(entry, record, { ...command, weight: record.content.weight }, step)
  }),
  node('metadata-dropped', 'metadata is part of what is offered', (driver) => {
    const { registrar } = partsOf(driver)
    const accept = registrar['accept'].bind(registrar)
    registrar['accept'] = (command: RegisterCommand, site: Site, incarnation: number, step: Step) =>
      accept({ ...command, metadata: {} }, site, incarnation, step)
  }),
  node('digest-kept', 'a digest covers all that is offered', (driver) => {
    replace(partsOf(driver).directory, 'propose', (original, directory, record, cause, now) => {
      const { content } = record
      const before = directory.entry(record)?.record
      const same = before?.incarnation === record.incarnation && before.content.intent !== 'gone'
      if (!same || content.intent === 'gone') return original(record, cause, now)
      const { digest } = before.content as LiveContent
      return original({ ...record, content: { ...content, digest } }, cause, now)
    })
  }),
  node('tick-fails', 'nothing throws unexpectedly', (driver) => {
    replace(partsOf(driver).liveness, 'tick', (original, _liveness, now) => {
      if (partsOf(driver).directory.states.suspect > 0) throw new Error('planted')
      original(now)
    })
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
  node('settled-at-once', 'who leaves waits until its consumers have heard', (driver) => {
    const queries: Queries = driver['queries']
    replace(queries, 'settled', (original, _queries, names, seq) => ({
      ...original(names, seq),
      settled: true,
    }))
  }),
  node('slow-forgotten', 'a slow subscriber gets what it lacks when it has drained', (driver) => {
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
        const deliveries = partsOf(driver).publisher['deliveries']
        const deliver = deliveries.deliver.bind(deliveries)
        deliveries.deliver = (consumer: Consumer, view: SubscribedView, update: Update) => {
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
export const MUTATIONS: readonly Mutation[] = [
  ...RECORDS,
  ...LIVENESS,
  ...CONTENT,
  ...WRITING,
  ...TELLING,
  ...OPERATORS,
  ...CLUSTER,
]

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
