/** The `rollcall` command; bin/rollcall.js and the single executable start it. */
import { createProcessShell } from './process-shell.js'
import { runCommandLine } from './program.js'

// By itself Node answers this signal by opening its debugger to every user of the machine.
process.on('SIGUSR1', () => {})

async function main(): Promise<void> {
  process.exitCode = await runCommandLine(process.argv.slice(2), createProcessShell())
}

// Not awaited at the top, because the single executable runs this as CommonJS.
void main()
