#!/usr/bin/env node
// Committed, because npm links a command only to a file that exists when it installs; the program itself is built.
import { existsSync } from 'node:fs'

const program = new URL('../dist/main.js', import.meta.url)
if (!existsSync(program)) {
  console.error('rollcall is not built yet: run `npm run build` in the repository first.')
  process.exit(1)
}
await import(program.href)
