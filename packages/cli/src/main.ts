/** The `rollcall` command; bin/rollcall.js starts it. */
import { createProcessShell } from './process-shell.js'
import { runCommandLine } from './program.js'

// By itself Node answers this signal by opening its debugger to every user of the machine.
process.on('SIGUSR1', () => {})

process.exitCode = await runCommandLine(process.argv.slice(2), createProcessShell())
