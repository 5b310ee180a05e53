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
