/** The last good list of each service, on disk. */
import { createHash } from 'node:crypto'
import { mkdir, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { ViewName } from '@rollcall/wire'
import type { StoredList } from '../machine/events.js'
import type { Clock, Logger } from '../machine/ports.js'
import { isOf, snapshotContent, snapshotText } from './snapshot-content.js'
import { hasCode, readTrusted, trustedDirectory, writeWhole } from './trusted-files.js'
import { Turns } from './turns.js'

/** Keeps the last good list of each service for times without any registry. What goes wrong is logged, and harms nothing else. */
export interface SnapshotStore {
  /** The newest readable snapshot; damaged ones are passed over with a warning. Never rejects. */
  load(name: ViewName): Promise<StoredList | undefined>
  /** Keeps a list. While one waits or is being written only the latest of those that follow is written after it. Never rejects. */
  save(name: ViewName, stored: StoredList): Promise<void>
  /** Waits until everything is written. Idempotent. */
  close(): Promise<void>
}

/** What the store works with. */
export interface SnapshotDeps {
  readonly clock: Pick<Clock, 'now' | 'wallNow' | 'setTimer'>
  readonly logger: Logger
}

/** Where snapshots go. */
export interface SnapshotOptions {
  readonly dir: string
  /** Keeps clusters apart that share a directory. */
  readonly cluster: string
}

/** Larger files are not read: nothing of ours writes them. */
const FILE_BYTES_MAX = 67_108_864
/** A process that removes a file has written a newer one, which is looked for again, so often at most. */
const LOOKS_MAX = 10
/** Snapshots not renewed for 30 days are removed. */
const KEEP_MS = 30 * 86_400_000
/** Written and read at once. With these one of the four threads that Node has for files and names is left, whatever hangs. */
const WRITERS = 2
const READERS = 1
/** Names of files are asked for at most this often, for all services together. */
const LISTING_MS = 1_000
/** With no descriptor left it is tried again after this. */
const RETRY_MS = 1_000
const WAITS = 'snapshots wait until there is a descriptor'

/**
 * Files are never overwritten: each name carries the moment a registry last confirmed the list, readers take
 * the newest, writers remove what is older than theirs. So a late writer with an old list does no harm,
 * however many processes share the directory.
 */
export function createSnapshotStore(deps: SnapshotDeps, options: SnapshotOptions): SnapshotStore {
  return new FileStore(deps, options)
}

/** A list that waits for its turn, and the end of it. */
interface Saving {
  next: StoredList | undefined
  done: Promise<void>
}

/** The files of all views that were there at a moment, by what their names begin with; those of each in order, newest first. */
interface Listing {
  readonly at: number
  readonly files: Promise<ReadonlyMap<string, readonly string[]>>
}

class FileStore implements SnapshotStore {
  private readonly deps: SnapshotDeps
  private readonly options: SnapshotOptions
  private readonly saving = new Map<string, Saving>()
  private readonly writers = new Turns(WRITERS)
  private readonly readers = new Turns(READERS)
  /** The newest file of each view that this process has written. */
  private readonly own = new Map<string, string>()
  private directory: Promise<string> | undefined
  private listing: Listing | undefined
  private sweptAt: number | undefined
  private pausing: { readonly over: Promise<void>; end(): void } | undefined
  private closing = false
  private told: string | undefined
  private count = 0

  constructor(deps: SnapshotDeps, options: SnapshotOptions) {
    this.deps = deps
    this.options = options
  }

  load(name: ViewName): Promise<StoredList | undefined> {
    return this.readers.run(async () => {
      for (let look = 0; look < LOOKS_MAX; look += 1) {
        try {
          const stored = await this.look(name, look > 0)
          if (stored !== 'gone') return stored
        } catch (error) {
          if (!isExhausted(error)) {
            this.tell(error, 'snapshots cannot be read')
            return undefined
          }
          this.tell(error, WAITS)
          await this.pause()
        }
      }
      return undefined
    })
  }

  save(name: ViewName, stored: StoredList): Promise<void> {
    const base = this.baseOf(name)
    const known = this.saving.get(base)
    if (known !== undefined) {
      known.next = stored
      return known.done
    }
    const saving: Saving = { next: stored, done: Promise.resolve() }
    this.saving.set(base, saving)
    saving.done = this.writeAll(name, base, saving)
    return saving.done
  }

  async close(): Promise<void> {
    this.closing = true
    this.pausing?.end()
    await Promise.all([...this.saving.values()].map(({ done }) => done))
  }

  /** Writes what waits, and what comes meanwhile. */
  private async writeAll(name: ViewName, base: string, saving: Saving): Promise<void> {
    while (saving.next !== undefined) await this.writers.run(() => this.writeNext(name, base, saving))
    this.saving.delete(base)
  }

  private async writeNext(name: ViewName, base: string, saving: Saving): Promise<void> {
    await this.pausing?.over
    const stored = saving.next!
    saving.next = undefined
    try {
      await this.write(name, base, stored)
      this.told = undefined
    } catch (error) {
      if (this.closing || !isExhausted(error)) return this.tell(error, 'snapshots cannot be written')
      this.tell(error, WAITS)
      saving.next ??= stored
      await this.pause()
    }
  }

  private async write(name: ViewName, base: string, stored: StoredList): Promise<void> {
    const dir = await this.open()
    const confirmedAtMs = Math.floor(this.deps.clock.wallNow() - stored.ageMs)
    const { namespace, service, group = null } = name
    const { sign, instances } = stored
    const { cluster } = this.options
    const text = snapshotText({ cluster, namespace, service, group, sign, confirmedAtMs, instances })
    const file = `${base}~${String(confirmedAtMs).padStart(15, '0')}-${process.pid}.json`
    // Another client of this process writes the list of the same moment.
    if (!(await writeWhole(join(dir, file), join(dir, `${file}.${this.count++}.tmp`), text))) return
    const before = this.own.get(base) ?? file
    const [newer, older] = [before, file].sort((a, b) => this.order(a, b)) as [string, string]
    this.own.set(base, newer)
    if (older !== newer) await this.remove(dir, older)
    await this.sweep(dir)
  }

  /** The newest list; `gone` where a file was removed while it was looked for. */
  private async look(name: ViewName, afresh: boolean): Promise<StoredList | 'gone' | undefined> {
    const base = this.baseOf(name)
    const dir = await (this.directory ?? trustedDirectory(this.options.dir).catch(missing))
    if (dir === undefined) return undefined
    const own = this.own.get(base)
    const files = (await this.list(dir, afresh)).get(base) ?? []
    const all = own === undefined || files.includes(own) ? files : [own, ...files]
    let gone = false
    for (const file of all) {
      const stored = await this.read(name, dir, file)
      if (stored === 'gone') gone = true
      else if (stored !== undefined) return stored
    }
    return gone ? 'gone' : undefined
  }

  private async read(name: ViewName, dir: string, file: string): Promise<StoredList | 'gone' | undefined> {
    try {
      const content = snapshotContent(await readTrusted(join(dir, file), FILE_BYTES_MAX))
      if (!isOf(content, this.options.cluster, name)) return undefined
      const { sign, instances, confirmedAtMs } = content
      if (stampIn(file) !== confirmedAtMs) throw new Error('the name says another moment')
      return { sign, instances, ageMs: Math.max(0, this.deps.clock.wallNow() - confirmedAtMs) }
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return 'gone'
      if (isExhausted(error)) throw error
      this.deps.logger.warn({ file, error: String(error) }, 'damaged snapshot ignored')
      return undefined
    }
  }

  /** The files by view. Asked for again after a while: other processes write, too. */
  private list(dir: string, afresh = false): Listing['files'] {
    const at = this.deps.clock.now()
    if (!afresh && this.listing !== undefined && at - this.listing.at < LISTING_MS) return this.listing.files
    const files = readdir(dir).then((names) => this.grouped(names))
    this.listing = { at, files }
    files.catch(() => (this.listing = undefined))
    return files
  }

  private grouped(names: readonly string[]): ReadonlyMap<string, readonly string[]> {
    const files = new Map<string, string[]>()
    for (const file of names) {
      const base = /^(.+)~\d{15}-\d+\.json$/.exec(file)?.[1]
      if (base === undefined) continue
      const list = files.get(base)
      if (list === undefined) files.set(base, [file])
      else list.push(file)
    }
    for (const list of files.values()) list.sort((a, b) => this.order(a, b))
    return files
  }

  /** Removes what is older than what this process wrote, whichever process wrote it, and what is too old for any. */
  private async sweep(dir: string): Promise<void> {
    const { clock } = this.deps
    if (this.sweptAt !== undefined && clock.now() - this.sweptAt < LISTING_MS) return
    this.sweptAt = clock.now()
    const names = await readdir(dir)
    const oldest = clock.wallNow() - KEEP_MS
    const old = names.filter((file) => stampIn(file) < oldest)
    for (const [base, files] of this.grouped(names)) {
      // Nothing if a process with a newer one has removed it already.
      const own = files.indexOf(this.own.get(base) ?? '')
      if (own >= 0) old.push(...files.slice(own + 1))
    }
    for (const file of old) await this.remove(dir, file)
  }

  /**
   * Newest first; those of the same moment in an order all processes agree on, or else two that write at once would
   * remove each other's. What is stamped in the future came from a wrong clock, and counts as the oldest.
   */
  private order(a: string, b: string): number {
    const now = this.deps.clock.wallNow()
    const [first, second] = [a, b].map((file) => (stampIn(file) > now ? 0 : stampIn(file))) as [
      number,
      number,
    ]
    return second - first || (a < b ? 1 : a === b ? 0 : -1)
  }

  /** `~` is no part of any name; names too long for a file name are hashed. */
  private baseOf(name: ViewName): string {
    const parts = [this.options.cluster, name.namespace, name.service, name.group ?? '']
    const plain = parts.map((part) => encodeURIComponent(part)).join('~')
    return plain.length <= 160 ? plain : createHash('sha256').update(plain).digest('hex')
  }

  /** The directory, made where it is missing. Where that hangs all wait for one that does. */
  private open(): Promise<string> {
    this.directory ??= mkdir(this.options.dir, { recursive: true, mode: 0o700 })
      .then(() => trustedDirectory(this.options.dir))
      .catch((error: unknown) => {
        this.directory = undefined
        throw error
      })
    return this.directory
  }

  private async remove(dir: string, file: string): Promise<void> {
    await unlink(join(dir, file)).catch(missing)
  }

  /** Waits until there may be descriptors again; all wait together. */
  private pause(): Promise<void> {
    if (this.closing) return Promise.resolve()
    this.pausing ??= this.startPause()
    return this.pausing.over
  }

  private startPause(): { readonly over: Promise<void>; end(): void } {
    let finish = (): void => undefined
    const over = new Promise<void>((resolve) => (finish = resolve))
    const end = (): void => {
      cancel()
      this.pausing = undefined
      finish()
    }
    const cancel = this.deps.clock.setTimer(RETRY_MS, end)
    return { over, end }
  }

  /** Once for each kind of trouble, until it works again: lists change every second. */
  private tell(error: unknown, message: string): void {
    const kind = `${message} ${error instanceof Error && 'code' in error ? String(error.code) : String(error)}`
    if (kind === this.told) return
    this.told = kind
    const { dir, cluster } = this.options
    this.deps.logger.warn({ dir, cluster, error: String(error) }, message)
  }
}

/** NaN for what is no file of ours. */
function stampIn(file: string): number {
  return Number(/~(\d{15})-\d+\.json(\.\d+\.tmp)?$/.exec(file)?.[1])
}

function isExhausted(error: unknown): boolean {
  return hasCode(error, 'EMFILE', 'ENFILE')
}

function missing(error: unknown): undefined {
  if (hasCode(error, 'ENOENT')) return undefined
  throw error
}
