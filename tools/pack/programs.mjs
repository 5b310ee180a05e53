/** Programs that packing runs: quiet while all goes well, told in full when it does not. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { ROOT } from '../prepare.mjs'

const execute = promisify(execFile)
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024

/** Runs a program to its end; resolves to its standard output, rejects with what it said. */
export async function output(command, args, options = {}) {
  try {
    const { stdout } = await execute(command, args, { cwd: ROOT, maxBuffer: OUTPUT_BYTES_MAX, ...options })
    return stdout
  } catch (error) {
    const said = `${error.stdout ?? ''}${error.stderr ?? ''}`.trim()
    throw new Error(`${[command, ...args].join(' ')} failed: ${said || error.message}`, { cause: error })
  }
}

/** What is not made here, and why: told at the end, and no failure. */
export class NotMade extends Error {}
