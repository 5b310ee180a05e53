/**
 * The JSON of views. A view is encoded once, in whatever way it is sent; lookups share its bytes while the view has the
 * same sign and is as stale, for at most a second, because it holds ages and guards that no sign covers. A long one is
 * captured at once and encoded in slices, one view after the other.
 */
import {
  type Clock,
  limitError,
  type Meter,
  NO_METER,
  type ViewCapture,
  type ViewFilter,
} from '@rollcall/core'
import type { Delta, ViewName } from '@rollcall/wire'
import type { Later } from './in-order.js'

/** JSON in the form in which it is best sent: short text leaves with its head in one write. */
export type Body = string | Buffer

/** A body with the sign of its view. */
export interface ViewBody {
  readonly sign: string
  readonly body: Body
}

/** What is asked for views. */
export interface ViewSource {
  sign(name: ViewName): string
  capture(name: ViewName, filter?: ViewFilter): ViewCapture
  delta(name: ViewName, sign: string): Delta | undefined
  isStale(): boolean
}

/** How old the ages in an answer may be. */
const AGE_MS_MAX = 1_000

/** Bodies below this are kept as text. */
const TEXT_CHARS_MAX = 4_096

/** Instances that are encoded in one turn of the event loop, some milliseconds. */
const SLICE = 2_000

/** Views that wait to be encoded. */
const WAITING_MAX = 1_000

/** Instances of captures that may wait, some hundred bytes each. */
const HELD_MAX = 1_000_000

function bodyFrom(json: string): Body {
  return json.length <= TEXT_CHARS_MAX ? json : Buffer.from(json)
}

/** A name of a view as a key. */
export function viewKey({ namespace, service, group }: ViewName): string {
  return group === undefined ? `${namespace}/${service}` : `${namespace}/${service}/${group}`
}

interface Entry extends ViewBody {
  readonly stale: boolean
  readonly at: number
}

/** A long view that is encoded in slices, or waits for that. */
interface Making {
  readonly key: string
  readonly capture: () => ViewCapture
  /** Taken when its turn comes, so that it is no older than any request that waits for it. */
  captured: ViewCapture | undefined
  place: number
  readonly slices: Buffer[]
  readonly made: Promise<ViewBody>
  readonly settle: (body: ViewBody) => void
}

/** The bodies of views that were looked up last. Bounded in bytes; the oldest goes first. */
export class ViewBodies {
  private readonly clock: Clock
  private readonly bytesMax: number
  private readonly meter: Meter
  private readonly entries = new Map<string, Entry>()
  private readonly makings: Making[] = []
  private total = 0
  // Weak: a body lives as long as the capture it belongs to.
  private readonly captures = new WeakMap<ViewCapture, Later<Body>>()
  /** Instances of the captures that were handed in and wait to be encoded. */
  private held = 0

  constructor(clock: Clock, bytesMax: number, meter: Meter = NO_METER) {
    this.clock = clock
    this.bytesMax = bytesMax
    this.meter = meter
  }

  /** Bytes kept. */
  get bytes(): number {
    return this.total
  }

  /**
   * The view as it is now, or what passes the filter; for an unknown service the empty one. Costs no more than its sign while
   * that stays. A promise where it is long and has to be encoded.
   */
  current(source: ViewSource, name: ViewName, filter?: ViewFilter): ViewBody | Promise<ViewBody> {
    const key = keyOf(name, filter)
    const sign = source.sign(name)
    const stale = source.isStale()
    const entry = this.fitting(key, sign, stale)
    if (entry !== undefined) return entry
    const making = this.makings.find(
      ({ key: its, captured }) => its === key && (captured === undefined || shows(captured, sign, stale)),
    )
    if (making !== undefined) return making.made
    const capture = (): ViewCapture => source.capture(name, filter)
    const captured = capture()
    if (captured.size > SLICE) return this.make(key, capture, captured)
    const body = bodyFrom(wholeOf(captured))
    // A short part of a view costs less than its place.
    return this.keep(key, { sign, stale, body, at: this.clock.now() }, filter === undefined)
  }

  /** What leads from a sign to the present; the view where that is no longer known. */
  since(source: ViewSource, name: ViewName, sign: string): ViewBody | Promise<ViewBody> {
    const key = `${viewKey(name)}?since=${sign}`
    const stale = source.isStale()
    const entry = this.fitting(key, source.sign(name), stale)
    if (entry !== undefined) return entry
    const delta = source.delta(name, sign)
    if (delta === undefined) return this.current(source, name)
    const body = bodyFrom(JSON.stringify(delta))
    return this.keep(key, { sign: delta.to, stale, body, at: this.clock.now() }, false)
  }

  /**
   * A view as it was captured, made once for all who are sent it; a promise while a long one is encoded. Where too much
   * waits already it is encoded at once: a longer turn rather than a list that is not sent.
   */
  of(captured: ViewCapture): Later<Body> {
    let body = this.captures.get(captured)
    if (body !== undefined) return body
    const key = viewKey(captured.name)
    body = this.fitting(key, captured.name.sign, captured.facts.stale)?.body
    if (body === undefined) {
      const { size } = captured
      const room = this.makings.length < WAITING_MAX && this.held + size <= HELD_MAX
      body = size > SLICE && room ? this.later(key, captured) : bodyFrom(wholeOf(captured))
    }
    this.captures.set(captured, body)
    return body
  }

  private async later(key: string, captured: ViewCapture): Promise<Body> {
    this.held += captured.size
    const { body } = await this.enqueue(key, () => captured, captured)
    this.held -= captured.size
    this.captures.set(captured, body)
    return body
  }

  private fitting(key: string, sign: string, stale: boolean): Entry | undefined {
    const entry = this.entries.get(key)
    const fits = entry?.sign === sign && entry.stale === stale
    return fits && this.clock.now() - entry.at < AGE_MS_MAX ? entry : undefined
  }

  /** Keeps a body for the requests to come: a long one, or also a short one. */
  private keep(key: string, entry: Entry, short: boolean): ViewBody {
    this.drop(key)
    const size = entry.body.length + key.length
    if (size > this.bytesMax || (!short && typeof entry.body === 'string')) return entry
    this.entries.set(key, entry)
    this.total += size
    for (const oldest of this.entries.keys()) {
      if (this.total <= this.bytesMax) break
      this.drop(oldest)
    }
    return entry
  }

  private drop(key: string): void {
    const entry = this.entries.get(key)
    if (entry === undefined) return
    this.entries.delete(key)
    this.total -= entry.body.length + key.length
  }

  /** Encodes a long view after those that wait already: neither the turn nor the memory that this takes grows with them. */
  private make(key: string, capture: () => ViewCapture, now: ViewCapture): Promise<ViewBody> {
    if (this.makings.length >= WAITING_MAX) {
      const message = 'too many long lists are waited for'
      throw limitError(this.meter, { quota: 'listsMax', max: WAITING_MAX, over: 'node', message })
    }
    return this.enqueue(key, capture, this.makings.length === 0 ? now : undefined)
  }

  private enqueue(
    key: string,
    capture: () => ViewCapture,
    captured: ViewCapture | undefined,
  ): Promise<ViewBody> {
    let settle = (_body: ViewBody): void => {}
    const made = new Promise<ViewBody>((resolve) => {
      settle = resolve
    })
    this.makings.push({ key, capture, captured, place: 0, slices: [], made, settle })
    if (this.makings.length === 1) this.step()
    return made
  }

  /** Encodes one slice of the first that waits. */
  private step(): void {
    const [making] = this.makings
    if (making === undefined) return
    making.captured ??= making.capture()
    const { captured, slices } = making
    const { place } = making
    making.place += SLICE
    const last = making.place >= captured.size
    const head = place === 0 ? headOf(captured) : ','
    slices.push(Buffer.from(`${head}${listOf(captured, place)}${last ? tailOf(captured) : ''}`))
    if (last) {
      this.makings.shift()
      const { sign } = captured.name
      const { stale } = captured.facts
      const body = Buffer.concat(slices)
      making.settle(this.keep(making.key, { sign, stale, body, at: this.clock.now() }, true))
    }
    if (this.makings.length > 0) this.clock.setTimer(0, () => this.step())
  }
}

/** Names contain neither question marks nor ampersands. */
function keyOf(name: ViewName, filter: ViewFilter | undefined): string {
  if (filter === undefined) return viewKey(name)
  const states = filter.states === undefined ? '' : [...new Set(filter.states)].sort().join()
  return `${viewKey(name)}?${states}&${filter.zone ?? ''}`
}

function shows({ name, facts }: ViewCapture, sign: string, stale: boolean): boolean {
  return name.sign === sign && facts.stale === stale
}

function wholeOf(captured: ViewCapture): string {
  const lists: string[] = []
  for (let place = 0; place < captured.size; place += SLICE) lists.push(listOf(captured, place))
  return `${headOf(captured)}${lists.join()}${tailOf(captured)}`
}

function headOf({ name }: ViewCapture): string {
  return `${JSON.stringify(name).slice(0, -1)},"instances":[`
}

function listOf(captured: ViewCapture, from: number): string {
  const texts: string[] = []
  const end = Math.min(from + SLICE, captured.size)
  for (let place = from; place < end; place++) texts.push(JSON.stringify(captured.instance(place)))
  return texts.join()
}

function tailOf({ facts }: ViewCapture): string {
  return `],${JSON.stringify(facts).slice(1)}`
}
