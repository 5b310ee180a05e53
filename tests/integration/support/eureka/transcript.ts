/** Transcripts of real clients against a real Eureka server, and how an answer is held against the recorded one. */
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { gunzipSync } from 'node:zlib'
import sax from 'sax'

type Headers = readonly (readonly [string, string])[]

export interface Exchange {
  readonly request: { readonly line: string; readonly headers: Headers; readonly body?: string }
  readonly response: { readonly line: string; readonly headers: Headers; readonly body?: string }
}

export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

const FIXTURES = new URL('../../../../packages/protocols/src/eureka/fixtures/', import.meta.url)

export const CLIENTS = [
  'eureka-js-client-4.5.0',
  'fargo-1.4.0',
  'py-eureka-client-0.13.3',
  'spring-cloud-netflix-eureka-client-5.0.3',
] as const

export function readTranscript(client: string): readonly Exchange[] {
  const text = readFileSync(new URL(`${client}.json`, FIXTURES), 'utf8')
  return (JSON.parse(text) as { readonly exchanges: readonly Exchange[] }).exchanges
}

/** Headers that belong to a connection, or to how a body was framed. */
const OF_CONNECTION: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
])

/** Sends a recorded request as it was sent, but for its connection. */
export async function replay(
  base: string,
  { line, headers, body = '' }: Exchange['request'],
): Promise<Answer> {
  const [method = '', path = ''] = line.split(' ')
  const sent: string[] = [
    'Host',
    new URL(base).host,
    'Connection',
    'close',
    'Content-Length',
    String(Buffer.byteLength(body)),
  ]
  for (const [name, value] of headers) if (!OF_CONNECTION.has(name.toLowerCase())) sent.push(name, value)
  const { hostname, port } = new URL(base)
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, path, method, headers: sent }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const bytes = Buffer.concat(chunks)
        const isZipped = response.headers['content-encoding'] === 'gzip'
        const text = (isZipped ? gunzipSync(bytes) : bytes).toString()
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'] ?? '',
          body: text,
        })
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

/** The recorded answer. */
export function recorded({ line, headers, body = '' }: Exchange['response']): Answer {
  const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
  return { status: Number(line.split(' ')[1]), type, body }
}

/** What a client goes by: the status, and what a successful answer says, without times, which no two runs share. */
export function essence({ status, type, body }: Answer): unknown {
  if (status >= 400) return { status }
  if (body === '') return { status, body }
  const form = type.split(';')[0]
  return { status, form, body: settled(form === 'application/xml' ? treeOfXml(body) : JSON.parse(body)) }
}

const TIMES =
  /^(?:registrationTimestamp|lastRenewalTimestamp|evictionTimestamp|serviceUpTimestamp|lastUpdatedTimestamp|lastDirtyTimestamp)$/

/** Times by whether there is one, versions by whether there is a delta; lists in one order. */
function settled(value: unknown, name = ''): unknown {
  if (TIMES.test(name)) return Number(value) > 0 ? 'a time' : 'no time'
  // Clients take over both of the others.
  if (name === 'actionType') return value === 'DELETED' ? 'gone' : 'there'
  if (name === 'versions__delta') return Number(value) < 0 ? 'none' : 'a version'
  if (Array.isArray(value)) {
    const items = value.map((item) => settled(item))
    return items.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, settled(member, key)]))
}

/** XML as a tree: attributes by their names with `@`, applications and instances as lists, texts without indentation. */
function treeOfXml(text: string): unknown {
  const parser = sax.parser(true, {})
  const root: Record<string, unknown> = {}
  const open: Record<string, unknown>[] = [root]
  let said = ''
  Object.assign(parser, {
    onopentag({ attributes }: { attributes: Record<string, string> }) {
      const tree: Record<string, unknown> = {}
      for (const [key, value] of Object.entries(attributes)) tree[`@${key}`] = value
      open.push(tree)
      said = ''
    },
    ontext(part: string) {
      said += part
    },
    onclosetag(name: string) {
      const tree = open.pop() ?? {}
      const parent = open.at(-1) ?? root
      const isLeaf = Object.keys(tree).every((key) => key.startsWith('@'))
      const value = isLeaf ? (Object.keys(tree).length === 0 ? said : { ...tree, $: said }) : tree
      if (name === 'application' || name === 'instance')
        parent[name] = [...((parent[name] as unknown[] | undefined) ?? []), value]
      else parent[name] = value
      said = ''
    },
  })
  parser.write(text).close()
  return root
}
