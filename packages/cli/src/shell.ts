/** What a command may touch of its process, as a port that tests replace. */
import type { HttpFetch } from '@rollcall/wire/http-client'
import type { Clock } from './clock.js'
import type { Chance } from './random.js'

/** Where text goes. Never throws; when the reader has closed its end, the command ends without a message. */
export interface TextStream {
  write(text: string): void
  /** Whether a person watches. */
  readonly isTerminal: boolean
  /** Characters in a line of the terminal, where that is known. */
  readonly columns?: number | undefined
}

type FetchInit = Parameters<HttpFetch<AbortSignal>>[1]

/** The part of `fetch` that commands use. `redirect`: by default redirections are followed. */
export type Fetch = (
  url: string,
  init: FetchInit & { readonly redirect?: 'manual' },
) => ReturnType<HttpFetch<AbortSignal>>

/** What a command may touch of its process; tests replace it. */
export interface Shell {
  /** Results only: what a script reads. */
  readonly out: TextStream
  /** Everything else. */
  readonly err: TextStream
  readonly env: Readonly<Record<string, string | undefined>>
  /** The name of the user that runs this process. */
  readonly user: string
  readonly pid: number
  readonly clock: Clock
  readonly random: Chance
  readonly fetch: Fetch
  /** The address of this machine from which a host is reached, or undefined where none is. Sends nothing. */
  ownAddress(host: string, port: number): Promise<string | undefined>
  /** Calls back at each of these signals, which no longer end the process; the result undoes that. */
  onSignal(signals: readonly NodeJS.Signals[], listener: (signal: NodeJS.Signals) => void): () => void
}
