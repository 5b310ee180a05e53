/** The little of a file system that the journal needs, as a port. */

/** What the file system says about a file. */
export interface FileState {
  /** The same for two names, or an open file and a name, exactly when they are the same file. */
  readonly id: string
  /** The file system that it is on. */
  readonly device: string
  /** Names that the file has; 0 when it was removed while open. */
  readonly links: number
  readonly length: number
}

/** A file open for writing. After any failed call its content is unknown: close it and never write to it again. */
export interface DiskFile {
  /**
   * Adds bytes at the end that the file has now, and returns how many were taken, which may be fewer than given. So
   * a file that was cut, or grown by another process, ends at another length than the writer expects.
   */
  append(bytes: Uint8Array): Promise<number>
  /** Makes content and size durable (fdatasync). */
  sync(): Promise<void>
  /**
   * What the kernel has in memory about the open file. At once: asked with each commit, in another thread it would take
   * as long as the write.
   */
  state(): FileState
  truncate(length: number): Promise<void>
  close(): Promise<void>
}

/** A held lock. */
export interface DiskLock {
  /** Differs from the name of every other lock ever taken. */
  readonly name: string
  /** Name of the dead holder that it was taken over from; undefined where no lock was found. */
  readonly after: string | undefined
  /** Whether the directory, by its path, still shows this lock, so that another process would be refused. */
  held(): Promise<boolean>
  /** Idempotent. */
  release(): Promise<void>
}

/** The little of a file system that the journal needs. Names become durable with `sync` of the directory only. */
export interface Disk {
  /** Creates the directory and its parents, durably. */
  makeDirectory(directory: string): Promise<void>
  /** Names in the directory; empty when it does not exist. */
  list(directory: string): Promise<readonly string[]>
  read(path: string): Promise<Uint8Array>
  /** Of a file or a directory; undefined when there is nothing of this name. */
  state(path: string): Promise<FileState | undefined>
  /** Opens an empty file, replacing what had the name. */
  create(path: string): Promise<DiskFile>
  /** Opens an existing file. */
  reopen(path: string): Promise<DiskFile>
  /** Writes over the first bytes of a file, which is made if there is none. Durable with `sync` only. */
  overwrite(path: string, bytes: Uint8Array): Promise<void>
  /** Atomically gives a file a name, replacing what had it. */
  rename(from: string, to: string): Promise<void>
  /** Removes a file; fine when there is none. */
  remove(path: string): Promise<void>
  /** Makes durable what the path stands for: the content of a file, the names in a directory. */
  sync(path: string): Promise<void>
  /** Takes the directory for this process, or rejects with JournalError `locked`. The kernel lets go when the process dies. */
  lock(directory: string): Promise<DiskLock>
}
