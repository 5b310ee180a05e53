/**
 * How checks stand: beats are taken, TTLs run out, endpoints are asked, and what stays critical for too long goes.
 *
 * Only the node that judges an instance does this for it. What comes of it is written into the record, so that all nodes say the
 * same: the word of a client as its own, and what silence and failures make of a check as a finding. Natively the core judges
 * those.
 */
import type {
  Clock,
  Logger,
  Offer,
  ProbeOutcome,
  ProbeRequest,
  Queries,
  RegisterCommand,
  Registry,
} from '@rollcall/core'
import type { Agenda } from './agenda.js'
import { Book, type BookEntry, type Run, type RecordText } from './book.js'
import { CALLER, onBehalfOf } from './caller.js'
import type { NamespaceChange } from './changes.js'
import {
  type CheckDefinition,
  type CheckStatus,
  type ServiceDefinition,
  withCheck,
  withoutSay,
} from './definitions.js'
import { definitionOf, type Key, NAMESPACE, PROTOCOL, toCommand } from './mapping.js'
import { Overdue } from './overdue.js'
import { parseTarget } from './targets.js'

export interface ChecksDeps {
  readonly registry: Registry
  readonly clock: Clock
  /** From 0 to below 1. */
  readonly random: () => number
  readonly logger: Logger
  readonly agenda: Agenda
}

/** A definition, and the registration that it made. */
export interface OwnWriting {
  readonly definition: ServiceDefinition
  readonly command: RegisterCommand
}

/** A TTL is over when the core has had two of its ticks to notice the silence: it may doubt its own ears. */
const NOTICE_MS = 250
/** What is held back is looked at again. */
const AGAIN_MS = 1_000
/** Silence of this length is believed of any number. */
const LONG_SILENCE_MS = 600_000
/** Causes of failed probes that tell of no process, kernel or name: nothing came back. */
const NO_ANSWER =
  /^(?:timeout|unknown host|ETIMEDOUT|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|EAI_[A-Z]+)$/
const OUTPUT_CHARS_MAX = 512
/** Services that are asked for at a time when everything is listed, and steps of that in one turn: some thousand instances. */
const SERVICES_PER_PAGE = 100
const STEPS_PER_TURN = 20
const INSTANCES_PER_STEP = 64

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
      for (let count = 0; count < STEPS_PER_TURN; count++) {
        if (steps.next().done !== true) continue
        this.isListed = true
        this.cancelListing = undefined
        return
      }
      this.cancelListing = this.deps.clock.setTimer(0, turn)
    }
    turn()
  }

  /** Whether an entry was taken out for good, or is forgotten; what silence took may be heard again. */
  private isGone({ key }: BookEntry): boolean {
    return this.read.restraints(key)?.isGone !== false
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

  /** Takes in what the registry has under a key now; `own`: what was just written there, if nothing came in between. */
  noted(key: Key, own?: OwnWriting): void {
    const offer = this.read.offer(key)
    if (offer === undefined) return
    const { foreign, peer } = offer.content
    const known = this.book.of(key)
    // The same text as before is the same object, as a rule: it was written here.
    if (foreign !== undefined && known?.document === foreign.document && known.peer === peer) return
    const isOwn = foreign !== undefined && own?.command.foreign === foreign
    const definition = isOwn ? own?.definition : definitionOf(offer)
    if (definition !== undefined) this.written(key, definition, { document: foreign?.document ?? '', peer })
    // Another protocol has it now; what is only hidden may come back.
    else if (known !== undefined) this.dropped(known)
  }

  /** Takes in what was registered. */
  written(key: Key, definition: ServiceDefinition, written: RecordText): BookEntry {
    const other = this.book.byId(definition.id)
    if (other !== undefined && this.book.of(key) !== other) this.dropped(other)
    const { entry, begun } = this.book.write(key, definition, written)
    for (const run of begun) this.begin(entry, run)
    for (const run of entry.runs.values()) this.overdue.weigh(entry, run)
    return entry
  }

  dropped(entry: BookEntry): void {
    this.book.remove(entry)
  }

  /** Takes in what there is, then drops what left while nothing was heard of it. */
  private *listing(): Generator<void> {
    let after: string | undefined
    do {
      const page = this.read.services({
        namespace: NAMESPACE,
        limit: SERVICES_PER_PAGE,
        ...(after === undefined ? {} : { after }),
      })
      for (const { namespace, service } of page.services) {
        const captured = this.read.capture({ namespace, service })
        for (let place = 0; place < captured.size; place++) {
          const { via, group, id } = captured.instance(place)
          if (via === PROTOCOL) this.noted({ namespace, service, group, id })
          if ((place + 1) % INSTANCES_PER_STEP === 0) yield
        }
        yield
      }
      after = page.next
    } while (after !== undefined)
    for (const [place, entry] of [...this.book.all()].entries()) {
      if (this.isGone(entry)) this.dropped(entry)
      if ((place + 1) % INSTANCES_PER_STEP === 0) yield
    }
  }

  // ---- what is said and found ------------------------------------------------------------------------------

  /** A beat of a TTL with the word of its client. Resolves to false where the instance is not known any more. */
  async beat(entry: BookEntry, run: Run, status: CheckStatus, output: string): Promise<boolean> {
    const { registry, clock } = this.deps
    const { key } = entry
    const { unknown, deregistered, superseded } = registry.heard([key], onBehalfOf(entry.peer))
    if (unknown.length + deregistered.length + superseded.length > 0) {
      this.dropped(entry)
      return false
    }
    run.heardAt = clock.now()
    if (run.status !== status || run.fresh || run.found) await this.say(entry, run, status, output)
    return true
  }

  /** The word of its client, or our first success: what was found before does not hold any more. */
  private say(entry: BookEntry, run: Run, status: CheckStatus, output: string): Promise<void> {
    const words = cut(output)
    return this.write(entry, run, {}, (before) => ({
      ...withoutSay(before),
      status,
      ...(words === '' ? {} : { output: words }),
    }))
  }

  /** Silence or failures make a check critical. */
  private fail(entry: BookEntry, run: Run, output: string, isSilent: boolean): void {
    if (run.found && run.status === 'critical') return
    const silent = isSilent && run.type !== 'ttl' ? ({ silent: true } as const) : {}
    const found = { status: 'critical', output: cut(output), ...silent } as const
    this.inBackground(this.write(entry, run, { finding: true }, (before) => ({ ...before, found })))
  }

  /** Writes on a check of what is registered, and takes that in. */
  private async write(
    entry: BookEntry,
    run: Run,
    how: Pick<RegisterCommand, 'finding'>,
    change: (before: CheckDefinition) => CheckDefinition,
  ): Promise<void> {
    const { key } = entry
    const { registry, logger } = this.deps
    const offer = this.read.offer(key)
    const definition = offer === undefined ? undefined : definitionOf(offer)
    if (definition === undefined) return
    const next = withCheck(definition, run.id, change)
    const command = { ...toCommand(next), ...how }
    const done = registry.execute({ kind: 'register', items: [command] }, onBehalfOf(offer?.content.peer))
    this.noted(key, { definition: next, command })
    const [result] = (await done).answer
    if (result?.ok === false) logger.warn({ ...key, error: result.error.message }, 'check not written')
  }

  private inBackground(written: Promise<void>): void {
    written.catch((error: unknown) => this.deps.logger.warn({ error }, 'check not written'))
  }

  /** A check begins to be made, or is made at other times. */
  private begin(entry: BookEntry, run: Run): void {
    const { clock, random } = this.deps
    const now = clock.now()
    run.cancel?.()
    run.heardAt = now
    if (run.type !== 'ttl') return this.askAt(entry, run, now + random() * run.intervalMs)
    this.expireAt(entry, run, now + run.ttlMs + NOTICE_MS)
  }

  // ---- TTL -------------------------------------------------------------------------------------------------

  private expireAt(entry: BookEntry, run: Run, due: number): void {
    run.cancel = this.deps.agenda.at(due, () => this.expireIfSilent(entry, run))
  }

  private expireIfSilent(entry: BookEntry, run: Run): void {
    const now = this.deps.clock.now()
    const again = (silentMs: number): void =>
      this.expireAt(entry, run, now + Math.max(run.ttlMs - silentMs, 0) + NOTICE_MS)
    const heardMs = now - (run.heardAt ?? now)
    if (heardMs < run.ttlMs) return again(heardMs)
    // Another node judges it, hears its beats and finds what is to be found.
    if (!this.read.judges(entry.key)) return this.isGone(entry) ? this.dropped(entry) : again(0)
    const restraints = this.read.restraints(entry.key)
    if (restraints === undefined) return this.dropped(entry)
    // It may have been heard where it was judged before, or beat at another node.
    const silentMs = Math.min(heardMs, restraints.judgedMs, restraints.toldMs)
    if (silentMs < run.ttlMs) return again(silentMs)
    if (run.status === 'critical') return again(0)
    if (this.isHeld(entry, run, silentMs)) {
      run.cancel = this.deps.agenda.at(now + AGAIN_MS, () => this.expireIfSilent(entry, run))
      return
    }
    const last =
      run.output === '' ? 'TTL expired' : `TTL expired (last output before timeout follows): ${run.output}`
    this.fail(entry, run, last, true)
    again(0)
  }

  /**
   * What may hold silence back, as it does natively: a freeze, the doubt of the node in its ears, and the share of the service, of
   * those of its checks that were renewed, one in any case.
   */
  private isHeld({ key }: BookEntry, run: Run, silentMs: number): boolean {
    const { read } = this
    if (read.restraints(key)?.isDoubted === true) return true
    if (run.fresh || silentMs >= LONG_SILENCE_MS) return false
    const share = read.silentShare(key)
    const { good, silent } = this.book.tally(key.service)
    return share < 1 && silent >= Math.max(1, Math.floor(share * good))
  }

  // ---- endpoints -------------------------------------------------------------------------------------------

  private askAt(entry: BookEntry, run: Run, due: number): void {
    run.cancel = this.deps.agenda.at(due, () => this.ask(entry, run))
  }

  private ask(entry: BookEntry, run: Run): void {
    const { clock, registry } = this.deps
    const beganAt = clock.now()
    // Its present appointment: where it has another one by the time of the answer, it is made at other times since.
    const { cancel } = run
    const isCurrent = (): boolean => entry.runs.get(run.id) === run
    const again = (): void => {
      if (isCurrent() && run.cancel === cancel)
        this.askAt(entry, run, Math.max(beganAt + run.intervalMs, clock.now()))
    }
    const offer = this.read.judges(entry.key) ? this.read.offer(entry.key) : undefined
    const definition = offer === undefined ? undefined : definitionOf(offer)
    const check = definition?.checks.find(({ id }) => id === run.id)
    const question = offer === undefined || check === undefined ? undefined : questionTo(entry, offer, check)
    if (check === undefined || question === undefined) {
      // It is asked elsewhere, or is hidden at present.
      if (this.isGone(entry)) return this.dropped(entry)
      return again()
    }
    const answered = (outcome: ProbeOutcome, cause?: string): void => {
      again()
      if (isCurrent()) this.answered(entry, run, check, outcome, cause)
    }
    registry.ask(question, answered, onBehalfOf(entry.peer))
  }

  /** Takes an answer as Consul does: 429 is a warning, and counts as a success. */
  private answered(
    entry: BookEntry,
    run: Run,
    check: CheckDefinition,
    outcome: ProbeOutcome,
    cause = '',
  ): void {
    // That it could not be asked, or may not be by now, says nothing of it.
    if (outcome === 'unable' || outcome === 'skipped') return
    const warns = cause === 'status 429'
    if (outcome === 'succeeded' || warns) {
      run.failures = 0
      run.heardAt = this.deps.clock.now()
      if (++run.successes < (check.successBeforePassing ?? 0)) return
      const status = warns ? 'warning' : 'passing'
      if (run.status === status && !run.fresh && !run.found) return
      return this.inBackground(this.say(entry, run, status, outputOf(check, warns ? cause : 'OK')))
    }
    run.successes = 0
    if (++run.failures < (check.failuresBeforeCritical ?? 0)) return
    const isSilent = outcome === 'failed' && NO_ANSWER.test(cause)
    if (isSilent && this.isKept(entry, run)) return
    this.fail(entry, run, outputOf(check, cause === '' ? outcome : cause), isSilent)
  }

  /** Whether the silence of an endpoint is not believed: it may be the node that is cut off. */
  private isKept(entry: BookEntry, run: Run): boolean {
    const now = this.deps.clock.now()
    return this.isHeld(entry, run, now - (run.heardAt ?? now))
  }
}

/** What a check asks of an offer; undefined where its target is none. */
function questionTo(
  { key }: BookEntry,
  { instance, content }: Offer,
  check: CheckDefinition,
): ProbeRequest | undefined {
  const target = parseTarget(check)
  if (target === undefined) return undefined
  const { host, port, probe } = target
  return {
    ...probe,
    key,
    incarnation: instance.incarnation,
    host,
    port,
    purpose: 'evidence',
    timeoutMs: check.timeoutMs ?? 10_000,
    delayMs: 0,
    ...(content.peer === undefined ? {} : { peer: content.peer }),
  }
}

function outputOf({ type, target = '' }: CheckDefinition, words: string): string {
  if (type === 'http') return `HTTP GET ${target}: ${words}`
  return `${type.toUpperCase()} ${type === 'tcp' ? 'connect ' : ''}${target}: ${words === 'OK' ? 'Success' : words}`
}

function cut(text: string): string {
  return text.length > OUTPUT_CHARS_MAX ? text.slice(0, OUTPUT_CHARS_MAX) : text
}
