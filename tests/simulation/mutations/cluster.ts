/** Planted bugs in what joins nodes: claims, adoption, hearsay, the engine and what is published there. */
import type { JournalEntry, RegistryNode, StoredRecord } from '@rollcall/core'
import type { Directory, Entry, EntrySlot, Evidence, LivenessDeps, LivenessRules } from '#core/internal'
import type { Member, NodeDriver } from '@rollcall/server'
import type { Durability, ResolvedRef } from '@rollcall/wire'
import { type Mutation, partsOf } from './mutation.js'
import { replace } from './replace.js'

type JoinedParts = NonNullable<RegistryNode['joined']>

/** What becomes of evidence. */
interface Judging {
  refute(evidence: Evidence, now: number): void
}

/** What takes changes to the engine. */
interface Outbox {
  open(epoch: string): void
  append(entries: readonly JournalEntry[]): Promise<Durability>
}
type WrittenArgs = Parameters<JoinedParts['publications']['written']>

/** A bug in a node that is joined with others. */
function joined(
  name: string,
  rule: string,
  plant: (driver: NodeDriver, parts: JoinedParts, member: Member) => void,
): Mutation {
  const node = (driver: NodeDriver, member: Member | undefined): void => {
    const parts = nodeOf(driver).joined
    if (parts !== undefined && member !== undefined) plant(driver, parts, member)
  }
  return { name, rule, sabotage: { node } }
}

const JUDGING: readonly Mutation[] = [
  joined('adopter-does-not-listen', 'an adopter has listened for a lease before it doubts', (driver) => {
    const { liveness, directory } = partsOf(driver)
    replace(nodeOf(driver).adoption, 'tick', (original, _adoption, now) => {
      const before = new Set([...directory.entries()].filter((entry) => isOwn(driver, entry)))
      original(now)
      for (const entry of directory.entries()) {
        const slot: EntrySlot<Evidence> = liveness['evidence']
        const evidence = slot.get(entry)
        if (evidence === undefined || before.has(entry) || !isOwn(driver, entry)) continue
        evidence.startedAt = -Infinity
        evidence.heardAt = undefined
        liveness['judge'].lookAt(evidence, now, now)
      }
    })
  }),
  joined('hearsay-lost', 'beats that come to another node are passed on to the judge', (driver) => {
    replace(nodeOf(driver), 'heardElsewhere', () => undefined)
  }),
  joined('hints-lost', 'what consumers of another node could not reach is asked', (driver) => {
    replace(nodeOf(driver), 'unreachableElsewhere', () => undefined)
  }),
  joined('beats-claim', 'a beat that comes to another node takes nothing over', (driver) => {
    const { liveness, directory } = partsOf(driver)
    replace(nodeOf(driver), 'heard', (original, _node, refs: readonly ResolvedRef[], now) => {
      const answer = original(refs, now)
      for (const ref of refs) {
        const entry = directory.entry(ref)
        if (entry !== undefined && entry.state === 'up' && !isOwn(driver, entry))
          depsOf(liveness).verdicts.take(entry, { kind: 'verdict' }, now)
      }
      return answer
    })
  }),
  joined('island-judges', 'an island takes nothing down by silence', (driver) => {
    replace(partsOf(driver).liveness, 'isolate', () => undefined)
  }),
  joined('doubt-stays', 'a node that hears it reverses the doubt of another', (driver) => {
    const judge: Judging = partsOf(driver).liveness['judge']
    replace(judge, 'refute', (original, _judge, evidence, now) => {
      if (evidence.isJudge) original(evidence, now)
    })
  }),
  joined('orphans-unjudged', 'what a dead node judged is judged by another one', (driver) => {
    replace(nodeOf(driver).adoption, 'tick', () => undefined)
  }),
]

const PUBLISHING: readonly Mutation[] = [
  joined('absence-deletes', 'what the engine has lost is published anew', (driver, { replica }) => {
    const { directory, liveness }: { directory: Directory; liveness: LivenessRules } = partsOf(driver)
    replace(replica, 'absent', (_original, _replica, entry: Entry, _history, now) => {
      if (entry.state !== null)
        depsOf(liveness).verdicts.write(entry, 'expired', 'unheard', { kind: 'verdict' }, now)
      directory.forget(entry)
    })
  }),
  joined(
    'old-history-believed',
    'a history that went back is compared as a new one',
    (_driver, { replica }) => {
      replace(replica, 'load', (original) => original('known'))
    },
  ),
  joined('farewell-kept-back', 'a deregistration is published also from a journal', (driver, { replica }) => {
    const kept = new Set<string>()
    replace(driver, 'load', (original, _driver, entries) => {
      const all: JournalEntry[] = [...entries]
      for (const entry of all)
        if (entry.kind === 'record' && isGone(entry.record)) kept.add(nameOf(entry.record))
      return original(all)
    })
    replace(replica.backlog, 'add', (original, _backlog, item: object, now) => {
      const { record } = item as Partial<Entry>
      if (record === undefined || !kept.has(nameOf(record))) original(item as Entry, now)
    })
  }),
  joined(
    'conflict-lost',
    'a refused write is merged with what stands there, and tried again',
    (_driver, parts) => {
      replace(parts.publications, 'written', (original, _publications, ...args: WrittenArgs) => {
        const [publication, outcomes] = args
        const sound = original(...args)
        for (const [index, { of: item }] of publication.parts.entries())
          if (outcomes[index]?.ok === false) parts.replica.backlog.settled(item)
        return sound
      })
    },
  ),
  joined(
    'island-forgets',
    'what an island accepted is published when it has the engine again',
    (_driver, { replica }, member) => {
      replace(outboxOf(member), 'open', (original, _outbox, epoch) => {
        for (const item of [...replica.backlog.all()]) replica.backlog.settled(item)
        original(epoch)
      })
    },
  ),
  joined('replicated-too-early', 'replicated is what the engine holds', (_driver, _parts, member) => {
    replace(outboxOf(member), 'append', () => Promise.resolve('replicated'))
  }),
  joined(
    'declarations-stay-home',
    'declarations and freezes are one truth on all nodes',
    (_driver, { replica }) => {
      replace(replica, 'declared', () => undefined)
    },
  ),
]

const SERVING: readonly Mutation[] = [
  joined('island-offers-itself', 'an island is not asked while a peer is none', (driver) => {
    replace(driver, 'shun', () => undefined)
  }),
  joined('empty-node-serves', 'a node that knows nothing is not asked', (driver) => {
    replace(driver, 'start', (original, owner) => {
      original()
      owner.serve()
    })
  }),
]

function nodeOf(driver: NodeDriver): RegistryNode {
  return driver['node']
}

function depsOf(liveness: LivenessRules): LivenessDeps {
  return liveness['deps']
}

function outboxOf(member: Member): Outbox {
  return member['outbox']
}

function isOwn(driver: NodeDriver, { record }: Entry): boolean {
  return depsOf(partsOf(driver).liveness).verdicts.areOwn(record)
}

function isGone({ content }: StoredRecord): boolean {
  return content.intent === 'gone'
}

function nameOf({ service, group, id, incarnation }: StoredRecord): string {
  return `${service}/${group}/${id}#${incarnation}`
}

export const CLUSTER: readonly Mutation[] = [...JUDGING, ...PUBLISHING, ...SERVING]
