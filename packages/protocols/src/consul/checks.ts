/**
 * How checks stand: beats are taken, TTLs run out, endpoints are asked, and what stays critical for too long goes.
 *
 * Only the node that judges an instance does this for it; the others go by its verdict. The word of a client is written into
 * the record; what silence and failures make of a check is not, for what they mean natively is judged by the core.
 */
import type { Clock, Logger, Offer, ProbeOutcome, ProbeRequest, Queries, Registry } from '@rollcall/core'
import type { Agenda } from './agenda.js'
import { Book, type BookEntry, type Run } from './book.js'
import { CALLER, onBehalfOf } from './caller.js'
import type { Changes, NamespaceChange } from './changes.js'
import {
  type CheckDefinition,
  type ServiceDefinition,
  type CheckStatus,
  withCheck,
  withoutSay,
} from './definitions.js'
import { type Key, NAMESPACE, type Observe, PROTOCOL, readDocument, toCommand } from './mapping.js'
import { Overdue } from './overdue.js'
import { parseTarget } from './targets.js'

/** Where endpoints are asked: the prober of the node, with its address rule and its bounds. */
export interface CheckProber {
  probe(request: ProbeRequest, callback: (outcome: ProbeOutcome, cause?: string) => void): void
}

export interface ChecksDeps {
  readonly registry: Registry
  readonly clock: Clock
  /** From 0 to below 1. */
  readonly random: () => number
  readonly prober: CheckProber
  readonly logger: Logger
  readonly agenda: Agenda
  readonly changes: Changes
}

/** A TTL is over when the core has had two of its ticks to notice the silence: it may doubt its own ears. */
const NOTICE_MS = 250
/** What is held back is looked at again. */
const AGAIN_MS = 1_000
/** Share of a service that silence may take at once, of those that were renewed; one in any case. */
const SHARE = 0.3
/** Silence of this length is believed of any number. */
const LONG_SILENCE_MS = 600_000
const OUTPUT_CHARS_MAX = 4_096
const WRITTEN_OUTPUT_CHARS_MAX = 512
/** Services that are read in one turn when everything is listed. */
const SERVICES_PER_TURN = 100

export class Checks {
  readonly book: Book = new Book()
  private readonly deps: ChecksDeps
  private readonly read: Queries
  private readonly overdue: Overdue
  private cancelListing: (() => void) | undefined
  private isListed = false

  constructor(deps: ChecksDeps) {
    this.deps = deps
    this.read = deps.registry.read(CALLER)
    this.overdue = new Overdue(deps, this)
  }

  /** Whether it knows all that was registered before. */
  get ready(): boolean {
    return this.isListed
  }

  close(): void {
    this.cancelListing?.()
  }

  // ---- what is registered ----------------------------------------------------------------------------------

  /** Lists everything anew, some services in each turn. */
  lost(): void {
    this.cancelListing?.()
    const steps = this.listing()
    const turn = (): void => {
      for (let count = 0; count < SERVICES_PER_TURN; count++) {
        if (steps.next().done !== true) continue
        this.sweep()
        this.isListed = true
        this.cancelListing = undefined
        return
      }
      this.cancelListing = this.deps.clock.setTimer(0, turn)
    }
    turn()
  }

  /** Drops what left while nothing was heard of it. */
  private sweep(): void {
    for (const entry of [...this.book.all()]) if (this.isGone(entry)) this.dropped(entry)
  }

  /** Whether an entry was taken out for good, or is forgotten; what silence took may be heard again. */
  private isGone({ key }: BookEntry): boolean {
    if (this.read.offer(key) !== undefined) return false
    const intent = this.read.explain(key)?.content.intent
    return intent === undefined || intent === 'gone'
  }

  changed(change: NamespaceChange): void {
    if (change.kind === 'namespace' || change.kind === 'service') return
    const { namespace, service, group, id } = change
    const key = { namespace, service, group, id }
    if (change.kind !== 'removed') return this.noted(key)
    const entry = this.book.of(key)
    // What silence took may be heard again; it stays until it is taken out, or forgotten.
    if (entry !== undefined && change.reason === 'deregistered') this.dropped(entry)
  }

  /** Takes in what the registry has under a key now. */
  noted(key: Key): void {
    const offer = this.read.offer(key)
    if (offer?.content.foreign?.protocol !== PROTOCOL) {
      const entry = offer === undefined ? undefined : this.book.of(key)
      if (entry !== undefined) this.dropped(entry)
      return
    }
    const definition = readDocument(offer.content.foreign.document)
    if (definition !== undefined) this.written(key, definition, offer.content.peer)
  }

  /** Takes in what was registered. */
  written(key: Key, definition: ServiceDefinition, peer: string | undefined): BookEntry {
    const other = this.book.byId(definition.id)
    if (other !== undefined && this.book.of(key) !== other) this.dropped(other)
    const { entry, added } = this.book.write(key, definition, peer)
    for (const check of definition.checks) {
      const run = entry.runs.get(check.id)
      if (run === undefined) continue
      if (added.includes(run)) this.begin(entry, run, check)
      this.overdue.weigh(entry, run, this.statusOf(run, check))
    }
    return entry
  }

  dropped(entry: BookEntry): void {
    this.book.remove(entry)
    if (this.book.tally(entry.key.service).entries === 0) this.deps.changes.leave(entry.key.service)
  }

  private *listing(): Generator<void> {
    let after: string | undefined
    do {
      const page = this.read.services({
        namespace: NAMESPACE,
        limit: SERVICES_PER_TURN,
        ...(after === undefined ? {} : { after }),
      })
      for (const { namespace, service } of page.services) {
        const captured = this.read.capture({ namespace, service })
        for (let place = 0; place < captured.size; place++) {
          const { via, group, id } = captured.instance(place)
          if (via === PROTOCOL) this.noted({ namespace, service, group, id })
          if (place % 64 === 63) yield
        }
        yield
      }
      after = page.next
    } while (after !== undefined)
  }

  // ---- how checks stand ------------------------------------------------------------------------------------

  /** What this node has seen of the checks of an offer, for those who look. */
  observer(offer: Offer): Observe {
    const { instance } = offer
    const { namespace, service, group, id } = instance
    const key = { namespace, service, group, id }
    const entry = this.book.of(key)
    const lost = instance.state === 'down' || instance.state === 'suspect'
    const silent = lost && !this.read.judges(key)
    return (check) => {
      const run = entry?.runs.get(check.id)
      if (run?.status !== undefined) return { status: run.status, output: run.output }
      if (silent && check.status !== 'critical')
        return { status: 'critical', output: 'not heard by the node that judges it' }
      return run === undefined || run.output === '' ? undefined : { status: check.status, output: run.output }
    }
  }

  /** A beat of a TTL with the word of its client. Resolves to false where the instance is not known any more. */
  async beat(entry: BookEntry, run: Run, status: CheckStatus, output: string): Promise<boolean> {
    const { registry, clock } = this.deps
    const { key } = entry
    const { unknown, deregistered, superseded } = registry.heard([key], onBehalfOf(entry.peer))
    if (unknown.length + deregistered.length + superseded.length > 0) {
      this.dropped(entry)
      return false
    }
    this.book.renewed(entry, run, clock.now())
    run.output = cut(output, OUTPUT_CHARS_MAX)
    if (run.status !== undefined) this.unturned(entry, run)
    this.overdue.weigh(entry, run, status)
    await this.say(entry, run.id, status, output)
    return true
  }

  /** Writes the word of a check into its record, where that is another one. */
  private async say(entry: BookEntry, checkId: string, status: CheckStatus, output: string): Promise<void> {
    const { key } = entry
    const offer = this.read.offer(key)
    const definition = offer === undefined ? undefined : definitionOf(offer)
    const check = definition?.checks.find(({ id }) => id === checkId)
    if (definition === undefined || check === undefined) return
    if (check.status === status && check.fresh !== true) return
    const words = cut(output, WRITTEN_OUTPUT_CHARS_MAX)
    const next = withCheck(definition, checkId, (before) => ({
      ...withoutSay(before),
      status,
      ...(words === '' ? {} : { output: words }),
    }))
    const { registry, logger } = this.deps
    const command = { kind: 'register', items: [toCommand(next)] } as const
    const { answer } = await registry.execute(command, onBehalfOf(offer?.content.peer))
    const [result] = answer
    if (result?.ok === false) logger.warn({ ...key, error: result.error.message }, 'check not written')
  }

  /** The checks of an entry begin to be made. */
  private begin(entry: BookEntry, run: Run, check: CheckDefinition): void {
    const { clock, random } = this.deps
    const now = clock.now()
    if (run.type !== 'ttl') return this.askAt(entry, run, now + random() * run.intervalMs)
    // One that was renewed before this boot is one of those that a restart must not take.
    if (check.fresh !== true) this.book.renewed(entry, run, now)
    this.expireAt(entry, run, now + run.ttlMs + NOTICE_MS)
  }

  private statusOf(run: Run, check: CheckDefinition): CheckStatus {
    return run.status ?? check.status
  }

  // ---- TTL -------------------------------------------------------------------------------------------------

  private expireAt(entry: BookEntry, run: Run, due: number): void {
    const since = this.deps.clock.now()
    run.cancel = this.deps.agenda.at(due, () => this.expireIfSilent(entry, run, since))
  }

  private expireIfSilent(entry: BookEntry, run: Run, since: number): void {
    const { clock } = this.deps
    const now = clock.now()
    const heardAt = run.heardAt ?? since
    const again = (silentMs: number): void =>
      this.expireAt(entry, run, now + Math.max(run.ttlMs - silentMs, 0) + NOTICE_MS)
    if (now - heardAt < run.ttlMs) return again(now - heardAt)
    const explained = this.read.explain(entry.key)
    if (explained === undefined) return this.dropped(entry)
    if (explained.judge?.own === false) {
      // Another node judges now: what was counted here says nothing any more.
      if (run.expired) this.book.renewed(entry, run, now)
      if (run.status !== undefined) this.unturned(entry, run)
      return again(0)
    }
    const toldMs = explained.evidence?.toldMs ?? Infinity
    if (toldMs < run.ttlMs) {
      // It beats at another node.
      this.book.renewed(entry, run, now - toldMs)
      if (run.status !== undefined) this.unturned(entry, run)
      return again(toldMs)
    }
    if (run.status === 'critical') return again(0)
    if (this.isHeld(entry, run, now - heardAt, explained)) {
      run.cancel = this.deps.agenda.at(now + AGAIN_MS, () => this.expireIfSilent(entry, run, since))
      return
    }
    const last =
      run.output === '' ? 'TTL expired' : `TTL expired (last output before timeout follows): ${run.output}`
    if (run.heardAt !== undefined) this.book.expire(entry, run)
    this.turned(entry, run, 'critical', last)
    again(0)
  }

  /** What may hold silence back, as it does natively: a freeze, the doubt of the node in its ears, and the share of the service. */
  private isHeld(
    entry: BookEntry,
    run: Run,
    silentMs: number,
    { guards }: NonNullable<ReturnType<Queries['explain']>>,
  ): boolean {
    if (guards.freezes.length > 0 || guards.watcherDoubtMs !== undefined || guards.held === 'island')
      return true
    if (run.heardAt === undefined || silentMs >= LONG_SILENCE_MS) return false
    const { renewed, expired } = this.book.tally(entry.key.service)
    return expired >= Math.max(1, Math.floor(SHARE * renewed))
  }

  // ---- endpoints -------------------------------------------------------------------------------------------

  private askAt(entry: BookEntry, run: Run, due: number): void {
    run.cancel = this.deps.agenda.at(due, () => this.ask(entry, run))
  }

  private ask(entry: BookEntry, run: Run): void {
    const { clock, prober } = this.deps
    const beganAt = clock.now()
    const again = (): void => {
      if (this.book.of(entry.key) !== entry || entry.runs.get(run.id) !== run) return
      this.askAt(entry, run, Math.max(beganAt + run.intervalMs, clock.now()))
    }
    const offer = this.read.judges(entry.key) ? this.read.offer(entry.key) : undefined
    const definition = offer === undefined ? undefined : definitionOf(offer)
    const check = definition?.checks.find(({ id }) => id === run.id)
    const target = check === undefined ? undefined : parseTarget(check)
    if (offer === undefined || check === undefined || target === undefined) {
      // It is asked elsewhere, or is hidden at present.
      if (this.isGone(entry)) return this.dropped(entry)
      if (run.status !== undefined) this.unturned(entry, run)
      return again()
    }
    const { host, port, probe } = target
    const request: ProbeRequest = {
      ...probe,
      key: entry.key,
      incarnation: offer.instance.incarnation,
      host,
      port,
      purpose: 'evidence',
      timeoutMs: check.timeoutMs ?? 10_000,
      delayMs: 0,
      ...(offer.content.peer === undefined ? {} : { peer: offer.content.peer }),
    }
    prober.probe(request, (outcome, cause) => {
      again()
      if (entry.runs.get(run.id) === run) this.answered(entry, run, check, outcome, cause)
    })
  }

  private answered(
    entry: BookEntry,
    run: Run,
    check: CheckDefinition,
    outcome: ProbeOutcome,
    cause = '',
  ): void {
    if (outcome === 'unable') return
    const { registry, logger } = this.deps
    const { key } = entry
    if (outcome === 'succeeded') {
      run.failures = 0
      registry.heard([key], onBehalfOf(entry.peer))
      if (++run.successes <= (check.successBeforePassing ?? 0)) return
      this.turned(entry, run, 'passing', outputOf(check, 'OK'))
      if (check.status !== 'passing')
        this.say(entry, run.id, 'passing', '').catch((error: unknown) =>
          logger.warn({ error }, 'check not written'),
        )
      return
    }
    run.successes = 0
    // Natively a refusal counts for more than silence: the core asks for itself at once.
    if (outcome === 'refused') registry.report({ kind: 'unreachable', refs: [key] }, onBehalfOf(entry.peer))
    if (cause === 'status 429') return this.turned(entry, run, 'warning', outputOf(check, cause))
    if (++run.failures <= (check.failuresBeforeCritical ?? 0)) return
    this.turned(entry, run, 'critical', outputOf(check, cause === '' ? outcome : cause))
  }

  // ---- turns -----------------------------------------------------------------------------------------------

  private turned(entry: BookEntry, run: Run, status: CheckStatus, output: string): void {
    const before = run.status
    run.status = status
    run.output = cut(output, OUTPUT_CHARS_MAX)
    if (before !== status) this.deps.changes.turn(entry.key.service)
    this.overdue.weigh(entry, run, status)
  }

  /** What its record says of it holds again. */
  private unturned({ key }: BookEntry, run: Run): void {
    run.status = undefined
    this.deps.changes.turn(key.service)
  }
}

/** The definition of an offer of this protocol. */
export function definitionOf({ content: { foreign } }: Offer): ServiceDefinition | undefined {
  return foreign?.protocol === PROTOCOL ? readDocument(foreign.document) : undefined
}

function outputOf({ type, target = '' }: CheckDefinition, words: string): string {
  if (type === 'http') return `HTTP GET ${target}: ${words}`
  return `${type.toUpperCase()} ${type === 'tcp' ? 'connect ' : ''}${target}: ${words === 'OK' ? 'Success' : words}`
}

function cut(text: string, most: number): string {
  return text.length > most ? text.slice(0, most) : text
}
