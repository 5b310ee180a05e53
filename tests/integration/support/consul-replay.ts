/** Transcripts of Consul's clients, replayed against a node, and what of its answers differs from what they were given. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { exchangeRaw, type RecordedRequest, type RawAnswer } from './raw-exchange.js'

export interface Recorded {
  readonly request: RecordedRequest
  readonly response: { readonly status: number; readonly index: string | null; readonly body: string }
}

export interface Transcript {
  readonly about: string
  readonly exchanges: readonly Recorded[]
}

/** A request whose answer differs, and how. */
export interface Difference {
  readonly request: string
  readonly difference: string
}

/** What stands for itself: numbers of changes, words for people, and the names of the node. */
const IGNORED: ReadonlySet<string> = new Set([
  'CreateIndex',
  'ModifyIndex',
  'Output',
  'Node',
  'TaggedAddresses',
  'Version',
  'Revision',
  'BuildDate',
  'NodeName',
  'NodeID',
  'Member',
  'Stats',
  'Name',
  'Addr',
  // The stub that was recorded left these out.
  'Interval',
  'Timeout',
  'ContentHash',
])

/** Instances of another client, which was recorded at the same time. */
const STRANGER = 'cspringbf1b'

/** How long checks of endpoints may take to be made for the first time: two intervals, on a busy machine. */
const PATIENCE_MS = 5_000

/** Replays a transcript in order; each path goes on from the index that it was given last. */
export async function replay(port: number, transcript: Transcript): Promise<readonly Difference[]> {
  const endpoints = await createEndpoints(transcript)
  const indices = new Map<string, string>()
  const differences: Difference[] = []
  let last: RawAnswer | undefined
  try {
    for (const [place, { request, response }] of transcript.exchanges.entries()) {
      const own = endpoints.translate(JSON.stringify({ request, response }))
      const wanted = JSON.parse(own) as Recorded
      const path = wanted.request.line.split(/[ ?]/)[1] ?? ''
      const line = wanted.request.line.replace(/index=[1-9]\d*/, `index=${indices.get(path) ?? '1'}`)
      const difference = await answered(
        port,
        { ...wanted, request: { ...wanted.request, line } },
        (answer) => {
          const index = answer.headers['x-consul-index']
          if (index !== undefined) indices.set(path, index)
          last = answer
        },
      )
      if (difference === undefined) continue
      // Checks are made when they are due, in a replay maybe earlier than when it was recorded.
      const later = answersUntilWrite(transcript, place).map(
        (each) => JSON.parse(endpoints.translate(JSON.stringify(each))) as Recorded['response'],
      )
      if (!later.some((each) => last !== undefined && differenceOf(last, each) === undefined))
        differences.push({ request: request.line, difference })
    }
  } finally {
    endpoints.close()
  }
  return differences
}

/** What the same request was answered later, before anything was written again. */
function answersUntilWrite({ exchanges }: Transcript, place: number): readonly Recorded['response'][] {
  const { line } = (exchanges[place] as Recorded).request
  const rest = exchanges.slice(place + 1)
  const write = rest.findIndex(({ request }) => !request.line.startsWith('GET '))
  return rest
    .slice(0, write < 0 ? undefined : write)
    .filter(({ request }) => request.line === line)
    .map(({ response }) => response)
}

/** Asks, and where only reading is asked for again, until the answer is as recorded or patience is over. */
async function answered(
  port: number,
  { request, response }: Recorded,
  note: (answer: RawAnswer) => void,
): Promise<string | undefined> {
  const until = Date.now() + PATIENCE_MS
  for (;;) {
    const answer = await exchangeRaw(port, request)
    note(answer)
    const difference = differenceOf(answer, response)
    if (difference === undefined || !isPatient(request.line, answer, response) || Date.now() > until)
      return difference
    await pause(100)
  }
}

/** Whether a check may not have been made yet that the recorded answer has the outcome of. */
function isPatient(line: string, answer: RawAnswer, { status }: Recorded['response']): boolean {
  return line.startsWith('GET ') && answer.status === status && !line.includes('index=')
}

function differenceOf(answer: RawAnswer, wanted: Recorded['response']): string | undefined {
  if (answer.status !== wanted.status) return `status ${answer.status} for ${wanted.status}: ${answer.body}`
  if ((answer.headers['x-consul-index'] === undefined) !== (wanted.index === null)) return 'X-Consul-Index'
  const [given, expected] = [valueOf(answer.body), valueOf(wanted.body)]
  return compare(given, expected, '')
}

function valueOf(text: string): unknown {
  try {
    return withoutStranger(JSON.parse(text))
  } catch {
    return text
  }
}

function withoutStranger(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((each) => !isStrange(each)).map(withoutStranger)
  if (typeof value !== 'object' || value === null) return value
  const pairs = Object.entries(value).filter(
    ([key, each]) => !key.includes(STRANGER) && !isStrange(each, true),
  )
  return Object.fromEntries(pairs.map(([key, each]) => [key, withoutStranger(each)]))
}

function isStrange(value: unknown, shallow = false): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { ServiceName, Service } = value as { readonly ServiceName?: unknown; readonly Service?: unknown }
  return ServiceName === STRANGER || (shallow && Service === STRANGER)
}

/** Where the value lacks what is expected; members that are more do no harm to a client. */
function compare(value: unknown, expected: unknown, at: string): string | undefined {
  if (Array.isArray(expected)) {
    if (!Array.isArray(value) || value.length !== expected.length)
      return `${at}: ${JSON.stringify(value)} for ${JSON.stringify(expected)}`
    const [found, wanted] = [inOrder(value), inOrder(expected)]
    return firstOf(wanted.map((each, place) => compare(found[place], each, `${at}[${place}]`)))
  }
  if (typeof expected !== 'object' || expected === null)
    return value === expected ? undefined : `${at}: ${JSON.stringify(value)} for ${JSON.stringify(expected)}`
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${at}: no object`
  const members = value as Readonly<Record<string, unknown>>
  return firstOf(
    Object.entries(expected).map(([key, each]) => {
      if (!(key in members)) return `${at}.${key} is missing`
      const ignored = IGNORED.has(key) && typeof members[key] === typeof each && typeof each !== 'object'
      const free =
        ignored || key === 'TaggedAddresses' || key === 'Member' || key === 'Stats' || isNodeId(key, each)
      return free ? undefined : compare(members[key], each, `${at}.${key}`)
    }),
  )
}

/** Checks and instances by their ids: their order says nothing. */
function inOrder(list: readonly unknown[]): readonly unknown[] {
  return list.toSorted((a, b) => (idOf(a) < idOf(b) ? -1 : idOf(a) > idOf(b) ? 1 : 0))
}

interface Named {
  readonly CheckID?: string
  readonly ServiceID?: string
  readonly Service?: { readonly ID?: string }
}

function idOf(value: unknown): string {
  const { CheckID, ServiceID, Service } = (value ?? {}) as Named
  return CheckID ?? ServiceID ?? Service?.ID ?? ''
}

function isNodeId(key: string, value: unknown): boolean {
  return key === 'ID' && typeof value === 'string' && /^[0-9a-f]{8}-/.test(value)
}

function firstOf(found: readonly (string | undefined)[]): string | undefined {
  return found.find((each) => each !== undefined)
}

interface Endpoints {
  /** Recorded ports as those of endpoints that answer here, and the recorded node as ours. */
  translate(text: string): string
  close(): void
}

/** An endpoint for each port that checks of a transcript ask. */
async function createEndpoints({ exchanges }: Transcript): Promise<Endpoints> {
  const text = exchanges.map(({ request }) => request.body).join('\n')
  const ports = new Set([...text.matchAll(/"port":\s*(\d{5})/gi)].map(([, port]) => port as string))
  const servers = new Map<string, Server>()
  for (const port of ports) {
    const server = createServer((_request, response) => response.end('fine'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    servers.set(port, server)
  }
  return {
    translate(recorded) {
      let own = recorded.replaceAll('node-1', 'rollcall')
      for (const [port, server] of servers)
        own = own.replaceAll(port, String((server.address() as AddressInfo).port))
      return own
    },
    close() {
      for (const server of servers.values()) {
        server.closeAllConnections()
        server.close()
      }
    },
  }
}
