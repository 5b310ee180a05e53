/** The command line as a function, for embedders and tests. */
export { createWholeProgram, runCommandLine } from './program.js'
export { createProcessShell } from './process-shell.js'
export type { Fetch, Shell, TextStream } from './shell.js'
export type { Clock } from './clock.js'
export { EXIT } from './exit-codes.js'
