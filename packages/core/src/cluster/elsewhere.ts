/**
 * Questions to all other nodes of a cluster at once, for answers that no node has alone: what was heard of an instance, whose
 * subscribers have heard of a change, what happened. A node that does not answer in time is named, and never waited for.
 */
import type {
  EventsResponse,
  Explanation,
  HeardElsewhere,
  RegistryEvent,
  ResolvedRef,
  SubscribersResponse,
  ViewName,
} from '@rollcall/wire'
import { type AudiencePin, AudiencePins } from './audience-pins.js'
import type { AudienceTerms, Behind, PeerLinks, PeerNode, PeerQuestionKind, PeerQuestions } from './peers.js'

/** What is asked of other nodes, joined with what this one knows itself. Nothing here rejects. */
export interface Elsewhere {
  /** Whether there are other nodes at all: without them nothing here has to be asked. */
  readonly hasNodes: boolean
  explain(key: ResolvedRef, own: Explanation): Promise<Explanation>
  audience(name: ViewName, own: SubscribersResponse, asked: AskedAudience): Promise<SubscribersResponse>
  settled(names: readonly ViewName[], own: OwnSettled, asked: AskedAudience): Promise<OwnSettled>
  events(query: PeerQuestions['events']['asks'], own: EventsResponse): Promise<EventsResponse>
}

export interface OwnSettled {
  readonly settled: boolean
  readonly seq: number
}

/** What a question about an audience is about. */
export interface AskedAudience {
  /** Whether the caller names a publication of an earlier answer. */
  readonly again: boolean
  /** At which revision the engine holds what is asked about as this node has it; undefined while it does not. Called where needed. */
  readonly published: () => number | undefined
}

export interface ElsewhereDeps {
  /** The links to the peers, while there are any. */
  readonly links: () => Pick<PeerLinks, 'ask'> | undefined
  /** The other nodes that the cluster has, linked or not. */
  readonly nodes: () => readonly Pick<PeerNode, 'node' | 'name'>[]
  readonly now: () => number
}

/** How long an answer is waited for: a peer that is well answers in a few. */
const TIMEOUT_MS = 500

type OtherNode = Pick<PeerNode, 'node' | 'name'>

interface Answers<T> {
  readonly answered: readonly { readonly from: OtherNode; readonly answer: T }[]
  readonly unanswered: readonly string[]
}

/** Creates what asks the other nodes. */
export function createElsewhere(deps: ElsewhereDeps): Elsewhere {
  return new AskedElsewhere(deps)
}

class AskedElsewhere implements Elsewhere {
  private readonly deps: ElsewhereDeps
  private readonly pins = new AudiencePins()

  constructor(deps: ElsewhereDeps) {
    this.deps = deps
  }

  get hasNodes(): boolean {
    return this.deps.nodes().length > 0
  }

  async explain(key: ResolvedRef, own: Explanation): Promise<Explanation> {
    const { answered, unanswered } = await this.ask('explain', () => key)
    const elsewhere = answered.map(({ from, answer }) => heardOf(from, answer))
    return { ...own, ...(elsewhere.length === 0 ? {} : { elsewhere }), ...named(unanswered) }
  }

  async audience(
    name: ViewName,
    own: SubscribersResponse,
    asked: AskedAudience,
  ): Promise<SubscribersResponse> {
    const pin = this.pins.of(`${nameText(name)} ${own.seq}`, asked.again)
    pin.revision ??= asked.published()
    const { answered, unanswered } = await this.ask('subscribers', ({ node }) => ({
      ...name,
      ...this.termsOf(pin, node),
    }))
    let { subscribers, acknowledged, pollersMs, settled } = own
    if (unanswered.length > 0) settled = false
    for (const { from, answer } of answered) {
      const has = this.hasChange(pin, from, answer)
      subscribers += answer?.subscribers ?? 0
      acknowledged += has ? (answer?.acknowledged ?? 0) : 0
      pollersMs = Math.max(pollersMs, answer?.pollersMs ?? 0)
      settled = settled && has && answer?.settled === true
    }
    return { subscribers, acknowledged, pollersMs, seq: own.seq, settled, ...named(unanswered) }
  }

  async settled(names: readonly ViewName[], own: OwnSettled, asked: AskedAudience): Promise<OwnSettled> {
    const pin = this.pins.of(`${names.map(nameText).join(' ')} ${own.seq}`, asked.again)
    // It will be asked again: as long as it is not settled here, the others need not be.
    if (!own.settled) return own
    pin.revision ??= asked.published()
    if (pin.revision === undefined) return { ...own, settled: false }
    const { answered, unanswered } = await this.ask('settled', ({ node }) => ({
      names,
      ...this.termsOf(pin, node),
    }))
    // Each is looked at, so that each is asked about the same publication next time.
    const heard = answered.map(({ from, answer }) => this.hasChange(pin, from, answer) && answer.settled)
    return { ...own, settled: unanswered.length === 0 && heard.every(Boolean) }
  }

  async events(query: PeerQuestions['events']['asks'], own: EventsResponse): Promise<EventsResponse> {
    const { answered, unanswered } = await this.ask('events', () => query)
    const events = [own, ...answered.map(({ answer }) => answer)].flatMap((each) =>
      each.events.map((event) => ({ ...event, node: each.node })),
    )
    return { ...own, events: events.toSorted(byMoment).slice(-query.limit), ...named(unanswered) }
  }

  private termsOf(pin: AudiencePin, node: string): AudienceTerms {
    const known = pin.nodes.get(node)
    return {
      ...(pin.revision === undefined ? {} : { revision: pin.revision }),
      ...(known === undefined ? {} : { seq: known.seq, ageMs: Math.round(this.deps.now() - known.at) }),
    }
  }

  /** Whether a node has the change itself; from then on it is asked about the publication that it named first. */
  private hasChange(
    pin: AudiencePin,
    { node }: OtherNode,
    answer: (Behind & { readonly seq: number }) | null,
  ): boolean {
    if (answer === null || answer.behind === true || pin.revision === undefined) return false
    if (!pin.nodes.has(node)) pin.nodes.set(node, { seq: answer.seq, at: this.deps.now() })
    return true
  }

  private async ask<K extends PeerQuestionKind>(
    kind: K,
    question: (node: OtherNode) => PeerQuestions[K]['asks'],
  ): Promise<Answers<PeerQuestions[K]['answers']>> {
    const links = this.deps.links()
    const nodes = this.deps.nodes()
    const outcomes = await Promise.allSettled(
      nodes.map((node) =>
        links === undefined
          ? Promise.reject(new Error('not linked'))
          : links.ask(node.node, kind, question(node), TIMEOUT_MS),
      ),
    )
    const unanswered: string[] = []
    const answered: { from: OtherNode; answer: PeerQuestions[K]['answers'] }[] = []
    for (const [index, outcome] of outcomes.entries()) {
      const from = nodes[index] as OtherNode
      if (outcome.status === 'fulfilled') answered.push({ from, answer: outcome.value })
      else unanswered.push(from.node)
    }
    return { answered, unanswered }
  }
}

function nameText({ namespace, service, group = '' }: ViewName): string {
  return `${namespace}/${service}/${group}`
}

function named(unanswered: readonly string[]): { readonly unanswered?: readonly string[] } {
  return unanswered.length === 0 ? {} : { unanswered }
}

function heardOf({ node, name }: OtherNode, answer: Explanation | null): HeardElsewhere {
  const { heardMs, heardBy, session } = answer?.evidence ?? {}
  return {
    node,
    ...(name === undefined ? {} : { name }),
    ...(heardMs === undefined ? {} : { heardMs }),
    ...(heardBy === undefined ? {} : { heardBy }),
    ...(session === undefined ? {} : { session: session.open }),
    ...(answer?.judge?.own === true ? { judges: true } : {}),
  }
}

/** In order of the clocks of the nodes, which may differ; those of one node in its own order. */
function byMoment(a: RegistryEvent, b: RegistryEvent): number {
  if (a.node === b.node) return a.seq - b.seq
  return a.at < b.at ? -1 : a.at > b.at ? 1 : 0
}
