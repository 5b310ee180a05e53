/**
 * Applications and instances written out in steps, of which each takes some microseconds. An application is written once for as
 * long as it stays the same, whichever list it stands in.
 */
import { CHUNK_BYTES, type Gathering } from '../http/chunks.js'
import type { Application, Applications, Held } from './applications.js'
import { applicationFrame, encodeListed, type Format, type DocumentFrame } from './codec.js'

/** Instances of one application that a list has. */
export interface Group {
  readonly name: string
  readonly instances: readonly Held[]
}

interface WrittenApplication {
  readonly version: number
  readonly parts: readonly Buffer[]
}

export class Writing {
  private readonly applications: Applications
  /** What was written of each, for as long as there is such an application. */
  private written = nothingWritten()

  constructor(applications: Applications) {
    this.applications = applications
  }

  /** All applications as they are at the beginning; what has left by its turn may be empty. */
  *all(format: Format, between: Buffer, out: Gathering): Generator<void> {
    for (const [place, application] of [...this.applications.all()].entries()) {
      if (place > 0) out.add(between)
      yield* this.application(application, format, out)
    }
  }

  /** Groups of instances, whole applications as they are kept. */
  *groups(groups: Iterable<Group>, format: Format, between: Buffer, out: Gathering): Generator<void> {
    let isFirst = true
    for (const { name, instances } of groups) {
      if (!isFirst) out.add(between)
      isFirst = false
      const application = this.applications.application(name)
      if (application !== undefined && isAllOf(application, instances))
        yield* this.application(application, format, out)
      else yield* this.write(applicationFrame(name, format), instances, format, (part) => out.add(part))
    }
  }

  /** One application. */
  *application(application: Application, format: Format, out: Gathering): Generator<void> {
    const { name, instances, version } = application
    const written = this.written[format]
    const before = written.get(application)
    if (before?.version === version) {
      for (const part of before.parts) {
        out.add(part)
        yield
      }
      return
    }
    const parts: Buffer[] = []
    yield* this.write(applicationFrame(name, format), [...instances.values()], format, (part) => {
      parts.push(part)
      out.add(part)
    })
    written.set(application, { version, parts })
  }

  forget(): void {
    this.written = nothingWritten()
  }

  private *write(
    { begin, between, end }: DocumentFrame,
    instances: readonly Held[],
    format: Format,
    take: (part: Buffer) => void,
  ): Generator<void> {
    let text = begin
    for (const [index, held] of instances.entries()) {
      if (index > 0) text += between
      text += encodeListed(this.applications.shown(held), format)
      if (text.length >= CHUNK_BYTES) {
        take(Buffer.from(text))
        text = ''
      }
      yield
    }
    take(Buffer.from(text + end))
  }
}

function nothingWritten(): Readonly<Record<Format, WeakMap<Application, WrittenApplication>>> {
  return { json: new WeakMap(), xml: new WeakMap() }
}

/** All that there are now, and none that left. */
function isAllOf({ instances }: Application, some: readonly Held[]): boolean {
  return some.length === instances.size && some.every((held) => instances.get(held.instanceId) === held)
}
