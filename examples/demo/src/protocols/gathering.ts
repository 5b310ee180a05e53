/** The registry of the demo of protocols, and the processes that speak to it, each in a tongue of its own. */
import { tell, type Outcome } from '../narration.js'
import { end, freePort, type Reporter, startRegistry, startReporter } from '../processes.js'
import type { Word } from './messages.js'

/** What a process speaks. */
export type Tongue = 'SDK' | 'Eureka' | 'Consul' | 'DNS'

/** All of them; the last one can only read. */
export const TONGUES: readonly Tongue[] = ['SDK', 'Eureka', 'Consul', 'DNS']
/** Those that register. */
export type Provider = Exclude<Tongue, 'DNS'>
export const PROVIDERS: readonly Provider[] = ['SDK', 'Eureka', 'Consul']

const PROGRAMS: Readonly<Record<Tongue, string>> = {
  SDK: 'protocols/native',
  Eureka: 'protocols/eureka',
  Consul: 'protocols/consul',
  DNS: 'protocols/resolver',
}
const PREFERRED = { native: 7420, eureka: 8761, consul: 8500, dns: 8600 } as const

/** How much later than the registry a reader may know: its client fetches once a second, or asks again after a tenth. */
const LAG_MS: Readonly<Record<Tongue, number>> = { SDK: 0, Consul: 0, DNS: 500, Eureka: 1_500 }

/** The same in words. */
export const LAGS =
  'for the registry, the SDK and Consul; Eureka is asked once a second (1,500 ms more), DNS ten times (500 ms more). 0 ms: before the client that did it had its answer'

/** What the clients of npm are required from. */
export interface Manifests {
  readonly eureka: string
  readonly consul: string
}

/** A process that runs. */
interface Speaker extends Reporter {
  port: number
  readonly lists: { readonly at: number; readonly ports: readonly number[] }[]
  readonly called: Set<number>
}

/** What every reader is to see. */
interface Expected {
  readonly port: number
  /** The wall clock from which on it counts. */
  readonly since: number
  /** Whether the port is to be listed, or not to be. */
  readonly listed: boolean
  readonly limitMs: number
}

export class Gathering {
  readonly ports: Readonly<Record<keyof typeof PREFERRED, number>>
  readonly url: string
  private readonly manifests: Manifests
  private readonly speakers = new Map<Tongue, Speaker>()
  private readonly noted: Outcome[] = []
  private changed = (): void => {}

  private constructor(ports: Gathering['ports'], manifests: Manifests) {
    this.ports = ports
    this.url = `http://127.0.0.1:${ports.native}`
    this.manifests = manifests
  }

  /** Starts the registry with every protocol on. */
  static async open(manifests: Manifests, dataDir: string): Promise<Gathering> {
    const ports = {
      native: await freePort(PREFERRED.native),
      eureka: await freePort(PREFERRED.eureka),
      consul: await freePort(PREFERRED.consul),
      dns: await freePort(PREFERRED.dns),
    }
    const flags = (['eureka', 'consul', 'dns'] as const).flatMap((name) => [
      `--${name}`,
      `127.0.0.1:${ports[name]}`,
    ])
    await startRegistry(ports.native, dataDir, flags)
    return new Gathering(ports, manifests)
  }

  outcomes(): readonly Outcome[] {
    return this.noted
  }

  /** The port of the instance that speaks this. */
  portOf(tongue: Provider): number {
    return this.speaker(tongue).port
  }

  /** Starts a process; resolves to the wall clock at which it was registered, or runs where it only reads. */
  async start(tongue: Tongue): Promise<number> {
    const lists: Speaker['lists'] = []
    const called = new Set<number>()
    let ready = (_word: { readonly at: number; readonly port: number }): void => {}
    const registered = new Promise<{ readonly at: number; readonly port: number }>((resolve) => {
      ready = resolve
    })
    const reporter = startReporter(PROGRAMS[tongue], this.argumentsOf(tongue), (word: Word) => {
      if (word.kind === 'registered') ready(word)
      else if (word.kind === 'list') lists.push(word)
      else for (const port of word.ports) called.add(port)
      this.changed()
    })
    const speaker: Speaker = { ...reporter, port: 0, lists, called }
    this.speakers.set(tongue, speaker)
    if (tongue === 'DNS') return Date.now()
    const died = new Promise<never>((_, reject) => {
      reporter.process.once('exit', (code) => reject(new Error(`${tongue}: ended with code ${code}`)))
    })
    died.catch(() => {})
    const { at, port } = await Promise.race([registered, died])
    speaker.port = port
    return at
  }

  /** Ends a provider; resolves to the wall clock at which it was told to. */
  async end(tongue: Provider, signal: 'SIGTERM' | 'SIGKILL'): Promise<number> {
    const { process } = this.speaker(tongue)
    this.speakers.delete(tongue)
    const at = Date.now()
    await end(process, signal)
    return at
  }

  /**
   * Waits until every reader that runs lists a port, or no longer does, and tells when each did: `limitMs` for the registry, and for
   * each reader what its way of asking costs. Noted where it is a promise.
   */
  async everyReader({ port, since, listed, limitMs }: Expected, promise?: string): Promise<void> {
    const readers = TONGUES.filter((tongue) => this.speakers.has(tongue))
    const took = (tongue: Tongue): number | undefined => {
      // A port that comes is found before its own client says that it registered; since then is at once.
      const list = this.speaker(tongue).lists.findLast(
        ({ ports }, index, all) =>
          ports.includes(port) === listed && all[index - 1]?.ports.includes(port) !== listed,
      )
      const now = this.speaker(tongue).lists.at(-1)?.ports.includes(port) ?? false
      return list === undefined || now !== listed ? undefined : Math.max(0, list.at - since)
    }
    await this.until(() => readers.every((tongue) => took(tongue) !== undefined), limitMs + 5_000)
    const times = readers.map((tongue) => [tongue, took(tongue)] as const)
    const words = times.map(([tongue, ms]) => `${tongue} ${ms === undefined ? 'not in time' : `${ms} ms`}`)
    tell(`${listed ? 'listed by' : 'off the list of'} ${words.join(', ')}`)
    if (promise === undefined) return
    this.note(
      promise,
      words.join(', '),
      times.every(([tongue, ms]) => ms !== undefined && ms <= limitMs + LAG_MS[tongue]),
    )
  }

  /** Waits until every client has called every instance that runs by the address its own protocol gave it. */
  async everyCall(): Promise<void> {
    const ports = PROVIDERS.map((tongue) => this.portOf(tongue))
    const missing = (): string[] =>
      TONGUES.flatMap((tongue) =>
        ports.filter((port) => !this.speaker(tongue).called.has(port)).map((port) => `${tongue} → ${port}`),
      )
    await this.until(() => missing().length === 0, 5_000)
    const calls = TONGUES.length * ports.length
    const failed = missing()
    tell(
      failed.length === 0
        ? `each of the four has called each of the three instances: ${calls} of ${calls} answered`
        : `no answer: ${failed.join(', ')}`,
    )
    this.note(
      'each finds each, and the address it got answers',
      `${calls - failed.length} of ${calls}`,
      failed.length === 0,
    )
  }

  /** What an operator does to an instance, by its id; any protocol may have registered it. */
  async override(method: 'PUT' | 'DELETE', port: number, change: object): Promise<number> {
    const list = (await this.ask('services/orders')) as {
      readonly instances: readonly { readonly id: string; readonly port: number }[]
    }
    const id = list.instances.find((instance) => instance.port === port)?.id
    const at = Date.now()
    await this.ask('overrides', method, {
      instances: [{ service: 'orders', id }],
      by: 'the demo',
      reason: 'to see that all follow',
      ...change,
    })
    return at
  }

  private async ask(path: string, method = 'GET', body?: object): Promise<unknown> {
    const response = await fetch(`${this.url}/api/v1/${path}`, {
      method,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(5_000),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }

  private note(promise: string, measured: string, held: boolean): void {
    this.noted.push({ promise, measured, held })
  }

  private argumentsOf(tongue: Tongue): string[] {
    switch (tongue) {
      case 'SDK':
        return [this.url]
      case 'Eureka':
        return [this.manifests.eureka, String(this.ports.eureka)]
      case 'Consul':
        return [this.manifests.consul, String(this.ports.consul)]
      default:
        return [String(this.ports.dns)]
    }
  }

  private speaker(tongue: Tongue): Speaker {
    const speaker = this.speakers.get(tongue)
    if (speaker === undefined) throw new Error(`${tongue} does not run`)
    return speaker
  }

  private async until(condition: () => boolean, deadlineMs: number): Promise<void> {
    if (condition()) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, deadlineMs)
      this.changed = () => {
        if (!condition()) return
        clearTimeout(timer)
        resolve()
      }
    })
    this.changed = () => {}
  }
}
