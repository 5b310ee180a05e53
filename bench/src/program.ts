/**
 * Programs that run in processes of their own: load generators and baselines. Both sides of one call mechanism:
 * the scenario calls methods, the program serves them.
 */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What a program can do. Arguments and results pass by structured clone. */
export type Methods = Readonly<Record<string, (argument: never) => unknown>>

/** A running program. */
export interface Program<M extends Methods> {
  readonly pid: number
  /** Runs a method over there; rejects with its error, and when the process ends. */
  call<K extends keyof M & string>(
    method: K,
    ...argument: Parameters<M[K]>
  ): Promise<Awaited<ReturnType<M[K]>>>
  /** Kills it and waits for its end. Idempotent. */
  stop(): Promise<void>
}

interface Call {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}

interface Pending {
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
}

interface Reply {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

/** Starts a program by its name in `programs/`. */
export function startProgram<M extends Methods>(name: string): Program<M> {
  const child = fork(fileURLToPath(new URL(`programs/${name}.js`, import.meta.url)), [], {
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const calls = new Map<number, Pending>()
  let ids = 0
  const killed = (): void => void child.kill('SIGKILL')
  process.once('exit', killed)
  const ended = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      process.off('exit', killed)
      for (const { reject } of calls.values()) reject(new Error(`${name} ended (${signal ?? code})`))
      calls.clear()
      resolve()
    })
  })
  child.on('message', ({ id, value, error }: Reply) => {
    const call = calls.get(id)
    calls.delete(id)
    if (error === undefined) call?.resolve(value as never)
    else call?.reject(new Error(`${name}: ${error}`))
  })
  return {
    pid: child.pid ?? 0,
    call<K extends keyof M & string>(method: K, ...[argument]: Parameters<M[K]>) {
      const id = ++ids
      return new Promise<Awaited<ReturnType<M[K]>>>((resolve, reject) => {
        calls.set(id, { resolve, reject })
        const call: Call = { id, method, argument }
        child.send(call, (error) => {
          if (error !== null && calls.delete(id)) reject(error)
        })
      })
    },
    async stop() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Called once by a program: serves its methods until the scenario goes away. */
export function serveProgram(methods: Methods): void {
  process.on('message', ({ id, method, argument }: Call) => {
    const reply = (answer: Reply): void => void process.send?.(answer)
    // The name and the shape of the argument come from `call`, which is typed by the same methods.
    const run = methods[method] as (argument: unknown) => unknown
    Promise.resolve(argument)
      .then(run)
      .then((value) => reply({ id, value }))
      .catch((error: unknown) =>
        reply({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
      )
  })
  process.once('disconnect', () => process.exit(0))
}
