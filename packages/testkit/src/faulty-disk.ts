/**
 * A file system in memory that fails on command and forgets like a real one when the power goes: content is
 * durable after `sync` of the file, names after `syncDirectory`. It has the shape of the journal's Disk port.
 */

const SECTOR_BYTES = 512

/** What can be made to fail. */
export type DiskOperation =
  | 'write'
  | 'sync'
  | 'truncate'
  | 'create'
  | 'reopen'
  | 'rename'
  | 'remove'
  | 'overwrite'
  | 'syncDirectory'
  | 'read'

/** `{ take }`: the write stores only so many bytes and says so. `hang`: never settles. `crash`: the machine stops here. */
export type DiskFault = 'ENOSPC' | 'EIO' | 'hang' | 'crash' | { readonly take: number }

/** One call of the disk, as the fault rule sees it. */
export interface DiskCall {
  /** Counts calls that change something, from 0. */
  readonly index: number
  readonly operation: DiskOperation
  readonly path: string
}

interface Inode {
  readonly id: string
  content: Buffer
  durable: Buffer
  /** Ranges written since the last sync. A failed sync empties this: the kernel forgets what it could not write. */
  dirty: { start: number; end: number }[]
  truncated: boolean
}

interface NameChange {
  readonly removed: string | undefined
  readonly added: string | undefined
  readonly inode: Inode | undefined
}

function resized(bytes: Buffer, length: number): Buffer {
  if (length <= bytes.length) return Buffer.from(bytes.subarray(0, length))
  return Buffer.concat([bytes, Buffer.alloc(length - bytes.length)])
}

function systemError(code: string, call: DiskCall): Error {
  return Object.assign(new Error(`${code}: ${call.operation} ${call.path}`), { code })
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

/** What a FaultyDisk says about a file. */
interface FaultyState {
  readonly id: string
  readonly device: string
  readonly links: number
  readonly length: number
}

/** An open file of a FaultyDisk. */
export interface FaultyFile {
  append(bytes: Uint8Array): Promise<number>
  sync(): Promise<void>
  state(): FaultyState
  truncate(length: number): Promise<void>
  close(): Promise<void>
}

/** A held lock of a FaultyDisk. */
export interface FaultyLock {
  readonly name: string
  readonly after: string | undefined
  held(): Promise<boolean>
  release(): Promise<void>
}

/** The disk. Everything in it is deterministic; chance comes in with `crash(random)`. */
export class FaultyDisk {
  /** Decides what goes wrong; undefined lets the call through. */
  fault: (call: DiskCall) => DiskFault | undefined = () => undefined
  /** The file system that everything is on; another name is another one, mounted in its place. */
  device = 'disk'
  /** Changing calls so far. */
  calls = 0

  private names = new Map<string, Inode>()
  private durableNames = new Map<string, Inode>()
  private changes: NameChange[] = []
  /** Per directory the last holder, and whether it lives. */
  private locks = new Map<string, { readonly name: string; alive: boolean }>()
  private lockCount = 0
  private inodeCount = 0
  private dead = false

  // ---- the port ----------------------------------------------------------------------------------------

  async makeDirectory(_directory: string): Promise<void> {}

  async list(directory: string): Promise<readonly string[]> {
    const prefix = `${directory}/`
    return [...this.names.keys()]
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length))
  }

  async read(path: string): Promise<Uint8Array> {
    await this.begin('read', path)
    return Buffer.from(this.inodeAt(path).content)
  }

  async state(path: string): Promise<FaultyState | undefined> {
    const inode = this.names.get(path)
    if (inode !== undefined) return this.stateOf(inode)
    // A directory is there once it was locked or has a file; nothing asks for more of it than where it is.
    const isThere = this.locks.has(path) || [...this.names.keys()].some((name) => name.startsWith(`${path}/`))
    return isThere ? { id: path, device: this.device, links: 1, length: 0 } : undefined
  }

  async create(path: string): Promise<FaultyFile> {
    await this.begin('create', path)
    return this.open(path, this.made(path))
  }

  async reopen(path: string): Promise<FaultyFile> {
    await this.begin('reopen', path)
    return this.open(path, this.inodeAt(path))
  }

  async overwrite(path: string, bytes: Uint8Array): Promise<void> {
    await this.begin('overwrite', path)
    const inode = this.names.get(path) ?? this.made(path)
    this.put(inode, bytes, 0)
  }

  async rename(from: string, to: string): Promise<void> {
    await this.begin('rename', from)
    const inode = this.inodeAt(from)
    this.names.delete(from)
    this.names.set(to, inode)
    this.changes.push({ removed: from, added: to, inode })
  }

  async remove(path: string): Promise<void> {
    await this.begin('remove', path)
    if (!this.names.delete(path)) return
    this.changes.push({ removed: path, added: undefined, inode: undefined })
  }

  async sync(path: string): Promise<void> {
    const inode = this.names.get(path)
    if (inode !== undefined) return this.syncFile(path, inode)
    await this.begin('syncDirectory', path)
    const mine = (name: string | undefined): boolean => name !== undefined && parentOf(name) === path
    for (const change of this.changes.filter((each) => mine(each.removed) || mine(each.added)))
      this.applyName(change)
    this.changes = this.changes.filter((each) => !mine(each.removed) && !mine(each.added))
  }

  /** Second holders are refused as the real lock does it: an error with `kind: 'locked'`. */
  async lock(directory: string): Promise<FaultyLock> {
    const before = this.locks.get(directory)
    if (before?.alive === true) throw Object.assign(new Error(`${directory} is in use`), { kind: 'locked' })
    const mine = { name: `lock-${++this.lockCount}`, alive: true }
    this.locks.set(directory, mine)
    return {
      name: mine.name,
      after: before?.name,
      held: async () => this.locks.get(directory) === mine,
      release: async () => void (mine.alive = false),
    }
  }

  // ---- for tests -----------------------------------------------------------------------------------------

  /** Content of a file as a process would read it. */
  content(path: string): Buffer {
    return Buffer.from(this.inodeAt(path).content)
  }

  /** Puts a file there, durably. */
  place(path: string, content: Uint8Array): void {
    const inode: Inode = {
      id: String(++this.inodeCount),
      content: Buffer.from(content),
      durable: Buffer.from(content),
      dirty: [],
      truncated: false,
    }
    this.names.set(path, inode)
    this.durableNames.set(path, inode)
  }

  /** Takes a file away, durably. */
  take(path: string): void {
    this.names.delete(path)
    this.durableNames.delete(path)
  }

  /** Paths of all files. */
  paths(): string[] {
    return [...this.names.keys()].sort()
  }

  /** Cuts a file, durably, as another process would: it stays the same file. */
  cut(path: string, length: number): void {
    const inode = this.inodeAt(path)
    inode.content = resized(inode.content, length)
    inode.durable = Buffer.from(inode.content)
    inode.dirty = []
  }

  /** Its holder died: the kernel lets go of the lock, and keeps what was written. */
  unlock(directory: string): void {
    const lock = this.locks.get(directory)
    if (lock !== undefined) lock.alive = false
  }

  /** The lock is removed by hand, while its holder lives. */
  breakLock(directory: string): void {
    this.locks.delete(directory)
  }

  /** The same files on a new disk without faults and locks, as after a clean stop or `kill -9`. */
  copy(): FaultyDisk {
    const disk = new FaultyDisk()
    for (const [path, inode] of this.names) disk.place(path, inode.content)
    return disk
  }

  /**
   * What is left after a power failure: everything synced, and of the rest whatever chance keeps: each sector
   * and each name change for itself, with the file's size anywhere from the durable one on. Sectors that never
   * reached the disk read as zeros. `random` gives numbers from 0 to below 1. The old disk never answers again.
   */
  crash(random: () => number): FaultyDisk {
    this.dead = true
    for (const change of this.changes) if (random() < 0.5) this.applyName(change)
    const disk = new FaultyDisk()
    for (const [path, inode] of this.durableNames) disk.place(path, this.survivor(inode, random))
    return disk
  }

  private survivor(inode: Inode, random: () => number): Buffer {
    if (inode.truncated) return random() < 0.5 ? inode.content : inode.durable
    const mode = random()
    if (mode < 0.2 || inode.dirty.length === 0) return inode.durable
    if (mode < 0.4) return inode.content
    const grown = inode.content.length - inode.durable.length
    const size = mode < 0.7 ? inode.durable.length + Math.floor(random() * (grown + 1)) : inode.content.length
    const kept = resized(inode.durable, size)
    const dirty = new Set<number>()
    for (const { start, end } of inode.dirty) {
      for (let sector = Math.floor(start / SECTOR_BYTES); sector * SECTOR_BYTES < end; sector++)
        dirty.add(sector)
    }
    // Several writes to one sector share its fate: the disk takes it as a whole.
    for (const sector of dirty) {
      const at = sector * SECTOR_BYTES
      const keeps = mode < 0.7 || random() < 0.5
      if (keeps && at < size) inode.content.copy(kept, at, at, Math.min(size, at + SECTOR_BYTES))
    }
    return kept
  }

  private applyName(change: NameChange): void {
    if (change.removed !== undefined) this.durableNames.delete(change.removed)
    if (change.added !== undefined && change.inode !== undefined)
      this.durableNames.set(change.added, change.inode)
  }

  private inodeAt(path: string): Inode {
    const inode = this.names.get(path)
    if (inode === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
    return inode
  }

  private async begin(operation: DiskOperation, path: string): Promise<DiskFault | undefined> {
    // Every call takes a turn, as a real one does.
    await Promise.resolve()
    if (this.dead) return new Promise(() => undefined)
    const call: DiskCall = { index: operation === 'read' ? -1 : this.calls++, operation, path }
    const fault = this.fault(call)
    if (fault === 'crash') this.dead = true
    if (fault === 'hang') return new Promise(() => undefined)
    // A write is cut short where it stands; everything else has not happened yet.
    if (operation === 'write') return fault
    if (fault === 'crash') return new Promise(() => undefined)
    if (fault === 'EIO' && operation === 'sync') return fault
    if (fault === 'EIO' || fault === 'ENOSPC') throw systemError(fault, call)
    return undefined
  }

  private made(path: string): Inode {
    const inode: Inode = {
      id: String(++this.inodeCount),
      content: Buffer.alloc(0),
      durable: Buffer.alloc(0),
      dirty: [],
      truncated: false,
    }
    this.names.set(path, inode)
    this.changes.push({ removed: undefined, added: path, inode })
    return inode
  }

  private stateOf(inode: Inode): FaultyState {
    const links = [...this.names.values()].filter((each) => each === inode).length
    return { id: inode.id, device: this.device, links, length: inode.content.length }
  }

  private put(inode: Inode, bytes: Uint8Array, position: number): number {
    const end = position + bytes.length
    if (end > inode.content.length) inode.content = resized(inode.content, end)
    inode.content.set(bytes, position)
    inode.dirty.push({ start: position, end })
    return bytes.length
  }

  private async syncFile(path: string, inode: Inode): Promise<void> {
    const fault = await this.begin('sync', path)
    if (fault !== undefined) {
      inode.dirty = []
      throw systemError('EIO', { index: 0, operation: 'sync', path })
    }
    const synced = inode.truncated ? Buffer.from(inode.content) : resized(inode.durable, inode.content.length)
    for (const { start, end } of inode.dirty) inode.content.copy(synced, start, start, end)
    Object.assign(inode, { durable: synced, dirty: [], truncated: false })
  }

  private open(path: string, inode: Inode): FaultyFile {
    const append = (bytes: Uint8Array): number => this.put(inode, bytes, inode.content.length)
    return {
      append: async (bytes) => {
        const fault = await this.begin('write', path)
        if (fault === undefined) return append(bytes)
        if (typeof fault === 'object') return append(bytes.subarray(0, fault.take))
        // The part that fitted stays in the file, as it does on a disk that fills up.
        append(bytes.subarray(0, Math.floor(bytes.length / 2)))
        if (fault === 'crash') return new Promise(() => undefined)
        throw systemError(fault, { index: 0, operation: 'write', path })
      },
      sync: () => this.syncFile(path, inode),
      state: () => this.stateOf(inode),
      truncate: async (length) => {
        await this.begin('truncate', path)
        inode.content = resized(inode.content, length)
        inode.truncated = true
      },
      close: async () => undefined,
    }
  }
}

/** An empty disk. */
export function createFaultyDisk(): FaultyDisk {
  return new FaultyDisk()
}
