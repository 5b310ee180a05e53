#!/usr/bin/env node
// `npx rollcall` runs the package of this name; the command itself is that of @rollcall/cli.
await import('@rollcall/cli/bin')
