/**
 * Lists as bytes: each application is written once for as long as it stays the same, each whole list once for all who fetch it,
 * compressed on another thread. A long list is written in turns, and may be as old as ten times what that took, so that a
 * registry that changes all the time spends no more than a tenth of its time on it; `apps/delta` has what came since.
 */
import { promisify } from 'node:util'
import { gzip, gzipSync } from 'node:zlib'
import type { Clock } from '@rollcall/core'
import { type Later, whenMade } from '../http/in-order.js'
import { inTurns } from '../foreign/turns.js'
import type { Application, Applications, Held } from './applications.js'
import {
  encodeApplication,
  encodeListed,
  encodeListedApplication,
  type Format,
  FORMATS,
  frameOf,
} from './codec.js'
import { hashOf, type Status } from './statuses.js'

/** A list that is this short is compressed at once: handing it to another thread takes as long. */
const AT_ONCE_BYTES = 32_768

const AGE_FACTOR = 10

/** A list that is written in less is never older than the registry: some ten thousand instances. */
const SHORT_MS = 50

const compress = promisify(gzip)

/** Fast: it is made anew with each change, and its reader has a local network in most cases. */
const GZIP = { level: 1 }

/** A list that was written. */
export interface Written {
  readonly bytes: Buffer
  /** Made when it is first asked for. */
  zipped?: Later<Buffer>
}

interface Kept {
  readonly version: number
  /** Until then it is taken although there is something newer. */
  readonly goodUntil: number
  readonly written: Written
}

interface WrittenApplication {
  readonly application: Application
  readonly version: number
  readonly bytes: Buffer
}

type ListName = 'all' | 'delta'

export interface ListsDeps {
  readonly clock: Clock
  readonly applications: Applications
}

export class Lists {
  private readonly deps: ListsDeps
  private readonly idleMs: number
  private readonly kept = new Map<string, Kept>()
  private readonly underWay = new Map<string, Later<Written>>()
  private readonly written: Readonly<Record<Format, Map<string, WrittenApplication>>> = {
    json: new Map(),
    xml: new Map(),
  }
  private cancelIdle = (): void => {}

  constructor(deps: ListsDeps, idleMs: number) {
    this.deps = deps
    this.idleMs = idleMs
  }

  /** All applications, or those that changed lately. */
  list(name: ListName, format: Format): Later<Written> {
    const { clock, applications } = this.deps
    this.used()
    const key = `${name} ${format}`
    const kept = this.kept.get(key)
    const isFresh = kept?.version === applications.version
    if (kept !== undefined && (isFresh || clock.now() < kept.goodUntil)) return kept.written
    const waiting = this.underWay.get(key)
    if (waiting !== undefined) return waiting
    const making = this.make(key, name, format)
    if (!(making instanceof Promise)) return making
    const ended = making.finally(() => this.underWay.delete(key))
    this.underWay.set(key, ended)
    return ended
  }

  /** The instances at a virtual address. */
  found(instances: Iterable<Held>, format: Format): Later<Written> {
    const counts: Partial<Record<Status, number>> = {}
    const groups = new Map<string, Held[]>()
    for (const held of instances) {
      counts[held.status] = (counts[held.status] ?? 0) + 1
      group(groups, held)
    }
    // As Eureka's server says that there is no delta of these.
    return this.frame({ version: '-1', hash: hashOf(counts) }, format, this.grouped(groups, format))
  }

  /** One application. */
  application(application: Application, format: Format): Later<Written> {
    const parts: Buffer[] = []
    return whenMade(inTurns(this.deps.clock, this.listed(application, format, parts)), () => ({
      bytes: Buffer.from(encodeApplication(String(parts[0]), format)),
    }))
  }

  /** The bytes of a list, compressed where they may be. */
  static zipped(written: Written): Later<Buffer> {
    const { bytes } = written
    written.zipped ??=
      bytes.length <= AT_ONCE_BYTES
        ? gzipSync(bytes, GZIP)
        : compress(bytes, GZIP).then((zipped) => (written.zipped = zipped))
    return written.zipped
  }

  close(): void {
    this.cancelIdle()
    this.forget()
  }

  private make(key: string, name: ListName, format: Format): Later<Written> {
    const { clock, applications } = this.deps
    const { version, hash } = applications
    const at = clock.now()
    const parts = name === 'all' ? this.whole(format) : this.grouped(this.recent(), format)
    return whenMade(this.frame({ version: String(version), hash }, format, parts), (written) => {
      const now = clock.now()
      const costMs = now - at
      this.kept.set(key, { version, goodUntil: costMs < SHORT_MS ? now : now + AGE_FACTOR * costMs, written })
      return written
    })
  }

  /** Puts a list together of parts that are made one by one. */
  private frame(
    head: Parameters<typeof frameOf>[0],
    format: Format,
    makeParts: (parts: Buffer[]) => Generator<void>,
  ): Later<Written> {
    const { begin, between, end } = frameOf(head, format)
    const parts: Buffer[] = []
    return whenMade(inTurns(this.deps.clock, makeParts(parts)), () => {
      const all: Buffer[] = [Buffer.from(begin)]
      const comma = Buffer.from(between)
      for (const [index, part] of parts.entries()) all.push(...(index > 0 ? [comma, part] : [part]))
      return { bytes: Buffer.concat([...all, Buffer.from(end)]) }
    })
  }

  private whole(format: Format): (parts: Buffer[]) => Generator<void> {
    const { applications } = this.deps
    const written = this.written[format]
    const listed = this.listed.bind(this)
    return function* (parts) {
      const names = new Set<string>()
      // As they are at the beginning: a turn later one may have left.
      for (const application of [...applications.all()]) {
        names.add(application.name)
        yield* listed(application, format, parts)
      }
      for (const name of written.keys()) if (!names.has(name)) written.delete(name)
    }
  }

  /** One application, as it was written last where it is still the same. */
  private *listed(application: Application, format: Format, parts: Buffer[]): Generator<void> {
    const { name, instances, version } = application
    const written = this.written[format]
    const before = written.get(name)
    if (before?.application === application && before.version === version) {
      parts.push(before.bytes)
      yield
      return
    }
    const texts: string[] = []
    for (const held of [...instances.values()]) {
      texts.push(encodeListed(this.deps.applications.shown(held), format))
      yield
    }
    const bytes = Buffer.from(encodeListedApplication(name, texts, format))
    written.set(name, { application, version, bytes })
    parts.push(bytes)
  }

  /** What changed, by application. Those that left come last: clients drop an application that they have emptied. */
  private recent(): ReadonlyMap<string, readonly Held[]> {
    const groups = new Map<string, Held[]>()
    const left: Held[] = []
    for (const held of this.deps.applications.changed()) {
      if (held.action === 'DELETED') left.push(held)
      else group(groups, held)
    }
    for (const held of left) group(groups, held)
    return groups
  }

  private grouped(
    groups: ReadonlyMap<string, readonly Held[]>,
    format: Format,
  ): (parts: Buffer[]) => Generator<void> {
    const { applications } = this.deps
    return function* (parts) {
      for (const [name, instances] of groups) {
        const texts: string[] = []
        for (const held of instances) {
          texts.push(encodeListed(applications.shown(held), format))
          yield
        }
        parts.push(Buffer.from(encodeListedApplication(name, texts, format)))
      }
    }
  }

  /** A list that is not fetched any more takes no memory. */
  private used(): void {
    this.cancelIdle()
    this.cancelIdle = this.deps.clock.setTimer(this.idleMs, () => this.forget())
  }

  private forget(): void {
    this.kept.clear()
    for (const format of FORMATS) this.written[format].clear()
  }
}

function group(groups: Map<string, Held[]>, held: Held): void {
  const others = groups.get(held.app)
  if (others === undefined) groups.set(held.app, [held])
  else others.push(held)
}
