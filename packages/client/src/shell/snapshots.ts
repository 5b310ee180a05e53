/** The last good list of each service, on disk. */
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Instance, ViewName } from '@rollcall/wire'
import { isSign } from '@rollcall/wire'
import type { StoredList } from '../machine/events.js'
import type { Clock, Logger } from '../machine/ports.js'

/** Keeps the last good list of each service for times without any registry. */
export interface SnapshotStore {
  /** The newest readable snapshot; damaged ones are passed over with a warning. */
  load(name: ViewName): Promise<StoredList | undefined>
  /** Keeps a list. While one is being written only the latest of those that follow is written after it. */
  save(name: ViewName, stored: StoredList): Promise<void>
  /** Waits until everything is written. Idempotent. */
  close(): Promise<void>
}

/** What the store works with. */
export interface SnapshotDeps {
  readonly clock: Pick<Clock, 'wallNow'>
  readonly logger: Logger
}

/** Where snapshots go. */
export interface SnapshotOptions {
  readonly dir: string
  /** Keeps clusters apart that share a directory. */
  readonly cluster: string
}

interface Content {
  readonly cluster: string
  readonly namespace: string
  readonly service: string
  readonly group: string | null
  readonly sign: string
  readonly confirmedAtMs: number
  readonly instances: readonly Instance[]
}

/** Larger files are not read: nothing of ours writes them. */
const FILE_BYTES_MAX = 67_108_864
/** A process that removes a file has written a newer one, which is looked for again, so often at most. */
const LOOKS_MAX = 10
/** Snapshots not renewed for 30 days are removed. */
const KEEP_MS = 30 * 86_400_000
/** A stamp further in the future than this came from a wrong clock and counts as the oldest. */
const FUTURE_MS = 300_000

/**
 * Files are never overwritten: each name carries the moment a registry last confirmed the list, readers take
 * the newest, writers remove what is older than theirs. So a late writer with an old list does no harm,
 * however many processes share the directory.
 */
export function createSnapshotStore(deps: SnapshotDeps, options: SnapshotOptions): SnapshotStore {
  return new FileStore(deps, options)
}

class FileStore implements SnapshotStore {
  private readonly deps: SnapshotDeps
  private readonly options: SnapshotOptions
  private readonly writing = new Map<
    string,
    { next: (() => Promise<void>) | undefined; done: Promise<void> }
  >()
  private directory: Promise<void> | undefined
  private count = 0

  constructor(deps: SnapshotDeps, options: SnapshotOptions) {
    this.deps = deps
    this.options = options
  }

  async load(name: ViewName): Promise<StoredList | undefined> {
    for (let look = 0; look < LOOKS_MAX; look += 1) {
      let replaced = false
      for (const file of await this.filesOf(name)) {
        const stored = await this.read(name, file)
        if (stored === 'gone') replaced = true
        else if (stored !== undefined) return stored
      }
      if (!replaced) return undefined
    }
    return undefined
  }

  save(name: ViewName, stored: StoredList): Promise<void> {
    const base = this.baseOf(name)
    const write = (): Promise<void> => this.write(name, stored)
    const current = this.writing.get(base)
    if (current !== undefined) {
      current.next = write
      return current.done
    }
    const slot = { next: undefined as (() => Promise<void>) | undefined, done: Promise.resolve() }
    slot.done = (async () => {
      try {
        await write()
        while (slot.next !== undefined) {
          const next = slot.next
          slot.next = undefined
          await next()
        }
      } finally {
        this.writing.delete(base)
      }
    })()
    this.writing.set(base, slot)
    return slot.done
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.writing.values()].map((slot) => slot.done))
  }

  private async write(name: ViewName, stored: StoredList): Promise<void> {
    await this.prepare()
    const confirmedAtMs = Math.floor(this.deps.clock.wallNow() - stored.ageMs)
    const content: Content = {
      cluster: this.options.cluster,
      namespace: name.namespace,
      service: name.service,
      group: name.group ?? null,
      sign: stored.sign,
      confirmedAtMs,
      instances: stored.instances,
    }
    const base = this.baseOf(name)
    const file = `${base}~${String(confirmedAtMs).padStart(15, '0')}-${process.pid}.json`
    const temporary = join(this.options.dir, `${file}.${this.count++}.tmp`)
    const handle = await this.create(temporary)
    // Another client of this process writes the list of the same moment.
    if (handle === undefined) return
    try {
      await handle.writeFile(JSON.stringify({ format: 1, checksum: checksumOf(content), content }))
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, join(this.options.dir, file))
    const files = await this.filesOf(name)
    // Nothing if a process with a newer one has removed it already.
    const own = files.indexOf(file)
    if (own >= 0) await Promise.all(files.slice(own + 1).map((older) => this.remove(older)))
  }

  private async create(path: string): Promise<FileHandle | undefined> {
    try {
      return await open(path, 'wx', 0o600)
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return undefined
      throw error
    }
  }

  private async read(name: ViewName, file: string): Promise<StoredList | 'gone' | undefined> {
    try {
      const path = join(this.options.dir, file)
      if ((await stat(path)).size > FILE_BYTES_MAX) throw new Error('too large')
      const content = contentOf(JSON.parse(await readFile(path, 'utf8')))
      const { cluster } = this.options
      const mine =
        content.cluster === cluster &&
        content.namespace === name.namespace &&
        content.service === name.service
      if (!mine || content.group !== (name.group ?? null)) return undefined
      const ageMs = Math.max(0, this.deps.clock.wallNow() - content.confirmedAtMs)
      return { sign: content.sign, instances: content.instances, ageMs }
    } catch (error) {
      if (isMissing(error)) return 'gone'
      this.deps.logger.warn({ file, error: String(error) }, 'damaged snapshot ignored')
      return undefined
    }
  }

  /**
   * Files of a view, newest first; those of the same moment in an order all processes agree on, or else two that
   * write at once would remove each other's.
   */
  private async filesOf(name: ViewName): Promise<string[]> {
    const prefix = `${this.baseOf(name)}~`
    let all: string[]
    try {
      all = await readdir(this.options.dir)
    } catch (error) {
      if (isMissing(error)) return []
      throw error
    }
    return all
      .filter((file) => file.startsWith(prefix) && /^\d{15}-\d+\.json$/.test(file.slice(prefix.length)))
      .sort((a, b) => this.stampOf(b) - this.stampOf(a) || (a < b ? 1 : -1))
  }

  private stampOf(file: string): number {
    const stamp = Number(file.slice(file.lastIndexOf('~') + 1).split('-')[0])
    return stamp > this.deps.clock.wallNow() + FUTURE_MS ? 0 : stamp
  }

  /** `~` is no part of any name; names too long for a file name are hashed. */
  private baseOf(name: ViewName): string {
    const parts = [this.options.cluster, name.namespace, name.service, name.group ?? '']
    const plain = parts.map((part) => encodeURIComponent(part)).join('~')
    return plain.length <= 160 ? plain : createHash('sha256').update(plain).digest('hex')
  }

  private prepare(): Promise<void> {
    this.directory ??= this.makeDirectory().catch((error: unknown) => {
      this.directory = undefined
      throw error
    })
    return this.directory
  }

  private async makeDirectory(): Promise<void> {
    const { dir } = this.options
    await mkdir(dir, { recursive: true, mode: 0o700 })
    const oldest = this.deps.clock.wallNow() - KEEP_MS
    for (const file of await readdir(dir)) {
      const stamp = /~(\d{15})-\d+\.json(\.\d+\.tmp)?$/.exec(file)?.[1]
      if (stamp !== undefined && Number(stamp) < oldest) await this.remove(file)
    }
  }

  private async remove(file: string): Promise<void> {
    try {
      await unlink(join(this.options.dir, file))
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
}

function checksumOf(content: Content): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex')
}

function contentOf(value: unknown): Content {
  if (
    typeof value !== 'object' ||
    value === null ||
    !('content' in value) ||
    !('checksum' in value) ||
    !('format' in value)
  ) {
    throw new Error('not a snapshot')
  }
  if (value.format !== 1) throw new Error('unknown format')
  const content = value.content as Content
  if (checksumOf(content) !== value.checksum) throw new Error('wrong checksum')
  if (!isSign(content.sign) || !Array.isArray(content.instances)) throw new Error('not a snapshot')
  return content
}

function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT')
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
