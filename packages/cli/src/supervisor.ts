/** Runs a program as an instance: registered while it listens, drained before it is stopped, gone when it ends. */
import { constants } from 'node:os'
import type { Registration, RegisterOptions, Rollcall } from '@rollcall/client'
import { sleep, type Clock } from './clock.js'
import { watchPort, type PortLook } from './port-watch.js'
import type { Shell } from './shell.js'

/** How a program ended, or why it did not begin. */
export type ProgramEnd =
  | { readonly code: number }
  | { readonly signal: NodeJS.Signals }
  | { readonly failure: 'not found' | 'not executable'; readonly message: string }

/** A started program. */
export interface Program {
  /** Never rejects. */
  readonly ended: Promise<ProgramEnd>
  /** To the program, or to its process group where it has one of its own. */
  signal(signal: NodeJS.Signals): void
  /** Whether others of its process group still run. */
  leftOthers(): boolean
}

export interface SupervisorDeps {
  readonly clock: Clock
  readonly onSignal: Shell['onSignal']
  /** Starts the program with our standard streams. */
  start(): Program
  /** Whether something accepts connections at the port of the program. */
  look(): Promise<PortLook>
  connect(): Promise<Rollcall>
  note(text: string): void
  /** Whether a terminal sends its signals to the program as well as to us. */
  readonly sharesTerminal: boolean
  /** Whether this is process 1, as the entry point of a container is. */
  readonly isInit: boolean
}

export interface SupervisorOptions {
  readonly registration: RegisterOptions
  /** Wait until the port accepts connections. */
  readonly wait: boolean
  /** Look at the port while it is registered. */
  readonly watch: boolean
  /** How long consumers have to turn away between the draining and the signal that ends the program. */
  readonly drainMs: number
}

/** Between two looks at the port: short beside the start of anything, cheap beside its work. */
const LOOK_MS = 100
/** A program that takes longer than this to listen may listen elsewhere; worth a word. */
const PATIENCE_MS = 10_000
/** Others of the process group have this long to end after the program: as container runtimes give before they kill. */
const OTHERS_MS = 10_000

const INIT_HINT =
  'rollcall: this is process 1, which cannot reap the orphans of the program here: if it leaves any, put an init in front (docker run --init, or tini -- rollcall run ...)'

const PASSED_ON: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2']
/** Those by which a program is told to end in good order. */
const ENDING: ReadonlySet<NodeJS.Signals> = new Set(['SIGTERM', 'SIGINT', 'SIGQUIT'])

/** Resolves to the exit code of the program, or 128 plus the number of the signal it died of. The registry never matters for it. */
export async function supervise(deps: SupervisorDeps, options: SupervisorOptions): Promise<number> {
  const instance = new SupervisedInstance(deps, options)
  // First: a signal in between would end us and leave the program behind. Listeners run in a later turn.
  const ignore = deps.onSignal(PASSED_ON, (signal) => passOn(deps, options, instance, program, signal))
  const program = deps.start()
  if (deps.isInit) deps.note(INIT_HINT)
  const registering = instance.register()
  const end = await program.ended
  const wasTold = instance.isUnwanted
  instance.over()
  await registering
  await instance.leave()
  // They were told to end as well, and in a container our end is theirs.
  if (wasTold) await othersEnd(deps, program)
  ignore()
  return exitCode(deps, end)
}

async function othersEnd({ clock }: SupervisorDeps, program: Program): Promise<void> {
  const until = clock.now() + OTHERS_MS
  while (program.leftOthers() && clock.now() < until) await sleep(clock, LOOK_MS)
}

function passOn(
  deps: SupervisorDeps,
  options: SupervisorOptions,
  instance: SupervisedInstance,
  program: Program,
  signal: NodeJS.Signals,
): void {
  const heard = deps.sharesTerminal && signal === 'SIGINT'
  if (!ENDING.has(signal)) return program.signal(signal)
  const draining = instance.drain()
  if (heard) return
  // Not registered, or a second signal: nothing to wait for.
  if (!draining || options.drainMs === 0) return program.signal(signal)
  void instance.pause(options.drainMs).then(() => program.signal(signal))
}

function exitCode(deps: SupervisorDeps, end: ProgramEnd): number {
  if ('code' in end) return end.code
  if ('signal' in end) return 128 + constants.signals[end.signal]
  deps.note(`rollcall: ${end.message}`)
  // As every shell has it.
  return end.failure === 'not found' ? 127 : 126
}

/** The registration of the program, from nothing to gone. */
class SupervisedInstance {
  private readonly deps: SupervisorDeps
  private readonly options: SupervisorOptions
  /** The program has ended. */
  private readonly ended = new AbortController()
  /** The instance shall get no more calls; a registration under way is abandoned. */
  private readonly unwanted = new AbortController()
  private client: Rollcall | undefined
  private registration: Registration | undefined

  constructor(deps: SupervisorDeps, options: SupervisorOptions) {
    this.deps = deps
    this.options = options
  }

  /** It was told to end. */
  get isUnwanted(): boolean {
    return this.unwanted.signal.aborted
  }

  /** Resolves when the program is to end. Never rejects: whatever is wrong is noted, and the program runs on. */
  async register(): Promise<void> {
    const { signal } = this.unwanted
    try {
      if (this.options.wait) await this.listening()
      if (signal.aborted) return
      this.client = await this.deps.connect()
      const registration = await this.client.register(this.options.registration, { signal })
      this.registration = registration
      if (registration.state === 'pending')
        this.deps.note(
          'rollcall: no registry answers yet; the program runs on and is registered once one does',
        )
      else
        this.deps.note(
          `rollcall: registered ${registration.service}/${registration.group} ${registration.id}`,
        )
      const { watch, wait } = this.options
      if (watch) await watchPort(this.deps, wait, signal, (isOpen) => this.portChanged(registration, isOpen))
    } catch (error) {
      if (signal.aborted) return
      this.deps.note(
        `rollcall: not registered, the program runs on: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }

  /** Asks consumers to turn away. False when that was done before, or no consumer knows of the instance. */
  drain(): boolean {
    if (this.unwanted.signal.aborted) return false
    this.unwanted.abort()
    const { registration } = this
    if (registration === undefined) return false
    const { signal } = this.ended
    registration.drain({ signal }).catch((error: unknown) => {
      if (!signal.aborted) this.deps.note(`rollcall: not drained: ${String(error)}`)
    })
    return registration.state !== 'pending'
  }

  /** The program has ended: nothing is waited for any more. */
  over(): void {
    this.unwanted.abort()
    this.ended.abort()
  }

  /** Resolves after a time, or when the program has ended. */
  pause(delayMs: number): Promise<void> {
    return sleep(this.deps.clock, delayMs, this.ended.signal)
  }

  /** Deregisters at once; bounded by the client's own deadline. */
  async leave(): Promise<void> {
    await this.client?.close()
  }

  /** A port that refuses gets no calls: no consumer has to find that out by itself. */
  private portChanged(registration: Registration, isOpen: boolean): void {
    const { signal } = this.unwanted
    const port = `port ${this.options.registration.port}`
    this.deps.note(
      isOpen
        ? `rollcall: ${port} accepts connections again: up`
        : `rollcall: ${port} refuses connections: starting, without calls, until it accepts some`,
    )
    registration.setState(isOpen ? 'up' : 'starting', { signal }).catch((error: unknown) => {
      if (!signal.aborted) this.deps.note(`rollcall: the registry does not take that: ${String(error)}`)
    })
  }

  private async listening(): Promise<void> {
    const { deps } = this
    const { signal } = this.unwanted
    const since = deps.clock.now()
    let told = false
    while (!signal.aborted && (await deps.look()) !== 'open') {
      if (!told && deps.clock.now() - since >= PATIENCE_MS) {
        told = true
        deps.note(
          `rollcall: nothing accepts connections at port ${this.options.registration.port} yet; registered once something does (--no-wait: at once)`,
        )
      }
      await sleep(deps.clock, LOOK_MS, signal)
    }
  }
}
