/** The `rollcall` command; bin/rollcall.js starts it. */
import { createProcessShell } from './process-shell.js'
import { runCommandLine } from './program.js'

process.exitCode = await runCommandLine(process.argv.slice(2), createProcessShell())
