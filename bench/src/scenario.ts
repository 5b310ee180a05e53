/** What a scenario is, and the stage on which it runs. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startServerProcess, type ServerProcess, type ServerProcessOptions } from '@rollcall/testkit'
import { INSPECTABLE, inspect, type HotSpot } from './inspector.js'
import type { Measure } from './measure.js'
import { startProgram, type Methods, type Program } from './program.js'

/** What a scenario found. */
export interface Findings {
  /** The first one is the headline. */
  readonly measures: readonly Measure[]
  readonly rounds: number
  /** What else a reader must know, such as sizes. */
  readonly notes: readonly string[]
}

/** Something that is measured, beside its floor where it has one. */
export interface Scenario {
  readonly name: string
  /** One line. */
  readonly about: string
  /** What the baseline is, in one line; undefined when the target is absolute. */
  readonly baseline: string | undefined
  run(stage: Stage): Promise<Findings>
}

/** Results and journals live in the checkout: a temporary directory may be memory, where a disk costs nothing. */
export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url))

/** How a scenario is run. */
export interface StageOptions {
  /** More rounds, longer ones, and more subscribers. */
  readonly long: boolean
  /** Whether the server is profiled while it is measured, which makes the figures worthless. */
  readonly profile: boolean
}

/** Starts what a scenario needs and takes it away afterwards. */
export class Stage {
  readonly options: StageOptions
  private readonly endings: (() => Promise<unknown>)[] = []
  /** Where the time of each profiled stretch went. */
  readonly profiles: { readonly what: string; readonly hotSpots: readonly HotSpot[] }[] = []

  constructor(options: StageOptions) {
    this.options = options
  }

  /** A server with its journal on disk, unless `memory`. Warnings are logged, nothing else, as operators run it. */
  async server(options: ServerProcessOptions & { readonly memory?: boolean } = {}): Promise<ServerProcess> {
    const { memory, ...rest } = options
    const server = await startServerProcess({
      ...rest,
      ...(memory === true ? {} : { dataDir: options.dataDir ?? this.directory() }),
      ...(this.options.profile ? { env: INSPECTABLE } : {}),
    })
    this.endings.push(() => server.kill())
    return server
  }

  /** A load generator or a baseline in a process of its own. */
  program<M extends Methods>(name: string): Program<M> {
    const program = startProgram<M>(name)
    this.endings.push(() => program.stop())
    return program
  }

  /** An empty directory. */
  directory(): string {
    const parent = join(ROOT, '.cache', 'bench')
    mkdirSync(parent, { recursive: true })
    const directory = mkdtempSync(join(parent, 'data-'))
    this.endings.push(async () => rmSync(directory, { recursive: true, force: true }))
    return directory
  }

  /** Runs something, with the server's profile taken meanwhile if that was asked for. */
  async profiled<T>(server: ServerProcess, what: string, work: () => Promise<T>): Promise<T> {
    if (!this.options.profile || this.profiles.some((profile) => profile.what === what)) return work()
    const inspector = await inspect(server)
    await inspector.startProfile()
    const result = await work()
    this.profiles.push({ what, hotSpots: await inspector.stopProfile() })
    inspector.close()
    return result
  }

  /** Ends everything, the last first. */
  async close(): Promise<void> {
    for (const end of this.endings.splice(0).toReversed()) await end()
  }
}
