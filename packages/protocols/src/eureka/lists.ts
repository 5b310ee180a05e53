/**
 * Lists as bytes, each written once for all who fetch it, and compressed on another thread. A long list is written in turns, and may
 * be as old as ten times what that took, so that a registry that changes all the time spends no more than a tenth of its time
 * on it; `apps/delta` has what came since.
 */
import { createGzip, gzipSync } from 'node:zlib'
import type { Clock } from '@rollcall/core'
import { Chunks, Gathering } from '../http/chunks.js'
import { type Later, whenMade } from '../http/in-order.js'
import { inTurns } from '../foreign/turns.js'
import type { Applications, Held } from './applications.js'
import { type Format, type DocumentFrame, listFrame, singleFrame } from './codec.js'
import { appName } from './mapping.js'
import type { EurekaOptions } from './options.js'
import { hashOf, type Status } from './statuses.js'
import { type Group, Writing } from './writing.js'

/** A list that is this short is compressed at once: handing it to another thread takes as long. */
const AT_ONCE_BYTES = 32_768

const AGE_FACTOR = 10

/** Of the time for which a change is told in deltas: a client that fetches everything has two more fetches to learn of it. */
const AGE_SHARE_MAX = 1 / 3

/** A list that is written in less is never older than the registry: some ten thousand instances. */
const SHORT_MS = 50

/** What is kept of lists of one application or virtual address. */
const FOUND_BYTES_MAX = 67_108_864

/** Fast: it is made anew with each change, and its reader has a local network in most cases. */
const GZIP = { level: 1, chunkSize: 65_536 }

/** A list that was written. */
export interface Written {
  readonly body: Chunks
  /** Made when it is first asked for. */
  zipped?: Later<Chunks>
}

interface Kept {
  readonly version: number
  /** Until then it is taken although there is something newer. */
  readonly goodUntil: number
  readonly written: Written
}

/** What a list is made of. */
interface Plan {
  readonly key: string
  /** Of what it is made of: a list of the same version is the same. */
  readonly version: number
  readonly shelf: Shelf
  /** Taken when it is made, so that both are of the same moment. */
  readonly plan: () => {
    readonly frame: DocumentFrame
    readonly steps: (between: Buffer, out: Gathering) => Generator<void>
  }
}

export interface ListsDeps {
  readonly clock: Clock
  readonly applications: Applications
}

type ListsOptions = Required<Pick<EurekaOptions, 'idleMs' | 'deltaMs'>>

export class Lists {
  private readonly deps: ListsDeps
  private readonly options: ListsOptions
  private readonly writing: Writing
  private readonly whole = new Shelf(Infinity)
  private readonly found = new Shelf(FOUND_BYTES_MAX)
  private readonly underWay = new Map<string, Later<Written>>()
  private usedAt = 0
  private cancelIdle: (() => void) | undefined

  constructor(deps: ListsDeps, options: ListsOptions) {
    this.deps = deps
    this.options = options
    this.writing = new Writing(deps.applications)
  }

  /** All applications. */
  all(format: Format): Later<Written> {
    const { applications } = this.deps
    return this.obtain({
      key: `all ${format}`,
      version: applications.version,
      shelf: this.whole,
      plan: () => ({
        frame: listFrame(headOf(applications), format),
        steps: (between, out) => this.writing.all(format, between, out),
      }),
    })
  }

  /** What changed lately. */
  delta(format: Format): Later<Written> {
    const { applications } = this.deps
    return this.obtain({
      key: `delta ${format}`,
      version: applications.version,
      shelf: this.whole,
      plan: () => {
        const groups = groupsOf(applications.changed())
        return {
          frame: listFrame(headOf(applications), format),
          steps: (between, out) => this.writing.groups(groups, format, between, out),
        }
      },
    })
  }

  /** The instances at a virtual address, of which there is no delta, as Eureka's server says by the version. */
  vip(vip: string, isSecure: boolean, format: Format): Later<Written> {
    const { applications } = this.deps
    return this.obtain({
      key: `${isSecure ? 'svip' : 'vip'} ${format} ${vip}`,
      version: applications.version,
      shelf: this.found,
      plan: () => {
        const instances = [...applications.withVip(vip, isSecure)]
        const groups = groupsOf(instances)
        const hash = hashOf(countsOf(instances))
        return {
          frame: listFrame({ version: '-1', hash }, format),
          steps: (between, out) => this.writing.groups(groups, format, between, out),
        }
      },
    })
  }

  /** One application; undefined where there is none. */
  application(app: string, format: Format): Later<Written> | undefined {
    const application = this.deps.applications.application(appName(app))
    if (application === undefined) return undefined
    return this.obtain({
      key: `app ${format} ${application.name}`,
      version: application.version,
      shelf: this.found,
      plan: () => ({
        frame: singleFrame('application', format),
        steps: (_between, out) => this.writing.application(application, format, out),
      }),
    })
  }

  /** The bytes of a list, compressed. */
  static zipped(written: Written): Later<Chunks> {
    const { body } = written
    written.zipped ??=
      body.length <= AT_ONCE_BYTES
        ? new Chunks([gzipSync(body.whole(), GZIP)])
        : compressed(body).then((zipped) => (written.zipped = zipped))
    return written.zipped
  }

  close(): void {
    this.cancelIdle?.()
    this.cancelIdle = undefined
    this.forget()
  }

  private obtain(plan: Plan): Later<Written> {
    const { key, version, shelf } = plan
    this.used()
    const kept = shelf.get(key)
    if (kept !== undefined && (kept.version === version || this.deps.clock.now() < kept.goodUntil))
      return kept.written
    const waiting = this.underWay.get(key)
    if (waiting !== undefined) return waiting
    const making = this.make(plan)
    if (!(making instanceof Promise)) return making
    const ended = making.finally(() => this.underWay.delete(key))
    this.underWay.set(key, ended)
    return ended
  }

  private make({ key, version, shelf, plan }: Plan): Later<Written> {
    const { clock } = this.deps
    const at = clock.now()
    const { frame, steps } = plan()
    const out = new Gathering()
    out.add(Buffer.from(frame.begin))
    return whenMade(inTurns(clock, steps(Buffer.from(frame.between), out)), () => {
      out.add(Buffer.from(frame.end))
      const written: Written = { body: out.done() }
      const now = clock.now()
      const costMs = now - at
      // What came since has to be in every delta that a client may fetch next.
      const ageMs = Math.min(AGE_FACTOR * costMs, this.options.deltaMs * AGE_SHARE_MAX)
      shelf.put(key, { version, goodUntil: costMs < SHORT_MS ? now : now + ageMs, written })
      return written
    })
  }

  /** A list that is not fetched any more takes no memory. */
  private used(): void {
    const { clock } = this.deps
    this.usedAt = clock.now()
    this.cancelIdle ??= clock.setTimer(this.options.idleMs, () => this.unused())
  }

  /** One timer for all requests: it looks when the last one was. */
  private unused(): void {
    const { clock } = this.deps
    const restMs = this.usedAt + this.options.idleMs - clock.now()
    this.cancelIdle = restMs > 0 ? clock.setTimer(restMs, () => this.unused()) : undefined
    if (restMs <= 0) this.forget()
  }

  private forget(): void {
    for (const each of [this.whole, this.found, this.writing]) each.forget()
  }
}

/** What a list holds beside its name and its text: its objects, and those of its compressed form. */
const ENTRY_BYTES = 2_048

/** Lists that were written; the oldest go where there are too many bytes. */
class Shelf {
  private readonly bytesMax: number
  private readonly kept = new Map<string, Kept>()
  private bytes = 0

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  get(key: string): Kept | undefined {
    return this.kept.get(key)
  }

  put(key: string, kept: Kept): void {
    this.drop(key)
    this.kept.set(key, kept)
    this.bytes += bytesOf(key, kept)
    for (const oldest of this.kept.keys()) {
      if (this.bytes <= this.bytesMax) return
      this.drop(oldest)
    }
  }

  forget(): void {
    this.kept.clear()
    this.bytes = 0
  }

  private drop(key: string): void {
    const kept = this.kept.get(key)
    if (kept === undefined) return
    this.bytes -= bytesOf(key, kept)
    this.kept.delete(key)
  }
}

/** Anybody may ask for any address: an empty list under a long name costs what it holds, too. */
function bytesOf(key: string, { written }: Kept): number {
  return ENTRY_BYTES + key.length + written.body.length
}

/** In parts, so that neither side is ever put together. */
function compressed({ parts }: Chunks): Promise<Chunks> {
  return new Promise((resolve, reject) => {
    const gzip = createGzip(GZIP)
    const zipped: Buffer[] = []
    gzip.on('data', (part: Buffer) => zipped.push(part))
    gzip.on('error', reject)
    gzip.on('end', () => resolve(new Chunks(zipped)))
    for (const part of parts) gzip.write(part)
    gzip.end()
  })
}

function headOf({ version, hash }: Applications): { readonly version: string; readonly hash: string } {
  return { version: String(version), hash }
}

/** By application. Clients drop one that they have emptied, so that what left has to come last. */
function groupsOf(instances: Iterable<Held>): readonly Group[] {
  const groups = new Map<string, Held[]>()
  for (const held of instances) {
    const others = groups.get(held.app)
    if (others === undefined) groups.set(held.app, [held])
    else others.push(held)
  }
  return [...groups].map(([name, each]) => ({ name, instances: each }))
}

function countsOf(instances: readonly Held[]): Partial<Record<Status, number>> {
  const counts: Partial<Record<Status, number>> = {}
  for (const { status } of instances) counts[status] = (counts[status] ?? 0) + 1
  return counts
}
