/** What tests of several packages share: launchers of real processes and of etcd, programs of others, and a disk that fails on command. */
export * from './faulty-disk.js'
export {
  killCommands,
  startCommand,
  type CommandOptions,
  type CommandProcess,
  type ProcessExit,
} from './command-process.js'
export {
  killServerProcesses,
  startServerProcess,
  type ServerProcess,
  type ServerProcessOptions,
} from './server-process.js'
export { debianProgram, type DebianProgram, guestLibraries, programOnPath } from './guest-program.js'
export { npmPackage } from './guest-package.js'
export { freePort } from './ports.js'
export { startEtcd, type EtcdBackup, type EtcdCluster, type EtcdOptions } from './etcd/cluster.js'
export type { EtcdCertificates } from './etcd/gateway.js'
export type { EtcdMember } from './etcd/member.js'
export { etcdProgram, type EtcdVersion } from './etcd/program.js'
