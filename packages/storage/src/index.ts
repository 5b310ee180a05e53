/** Where a node keeps its state: the journal on its disk; and an engine in memory, for tests and for nodes of one process. */
export type { Disk, DiskFile, DiskLock, FileState } from './journal/disk.js'
export { createDisk } from './journal/system-disk.js'
export { openJournal, type Journal, type JournalDeps } from './journal/journal.js'
export {
  JournalError,
  type FaultCause,
  type JournalErrorKind,
  type JournalErrorPlace,
} from './journal/journal-error.js'
export { createMemoryJournal } from './journal/memory-journal.js'
export type { JournalOptions } from './journal/options.js'
export type { Recovered } from './journal/recovery.js'
export type { JournalHealth } from './journal/health.js'
export { repairJournal, type Dropped, type RepairReport } from './journal/repair.js'
export { verifyJournal, type FileProblem, type FileReport, type JournalReport } from './journal/verify.js'
export { backupJournal, type BackupDone, type BackupOptions } from './journal/backup.js'
export {
  verifyBackup,
  type BackupAbout,
  type BackupContent,
  type BackupReport,
} from './journal/backup-file.js'
export { restoreJournal, type RestoreReport } from './journal/restore.js'
export {
  createMemoryEngine,
  type MemoryEngine,
  type MemoryEngineDeps,
  type MemoryEngineOptions,
} from './engine/memory/engine.js'
export type { MemoryLine } from './engine/memory/line.js'
export {
  createMemoryStore,
  type MemoryBackup,
  type MemoryStore,
  type MemoryStoreOptions,
} from './engine/memory/store.js'
export { createEtcdEngine, type EtcdEngineDeps } from './engine/etcd/engine.js'
export type { EtcdOptions, EtcdTiming } from './engine/etcd/options.js'
