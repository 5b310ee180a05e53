/** What tests of several packages share: launchers of real processes, programs of others, and a disk that fails on command. */
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
export { debianProgram, programOnPath } from './guest-program.js'
