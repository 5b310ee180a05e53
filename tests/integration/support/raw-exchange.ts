/** Requests as they were recorded, written to a socket byte by byte, and the answers read from it. */
import { connect } from 'node:net'

export interface RecordedRequest {
  readonly line: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
}

export interface RawAnswer {
  readonly status: number
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Sends a request with the headers that it was recorded with, but for Host and the length of its body. */
export function exchangeRaw(port: number, request: RecordedRequest): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port })
    let received = Buffer.alloc(0)
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`closed within an answer: ${received.toString('latin1')}`)))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      const answer = readAnswer(received)
      if (answer === undefined) return
      resolve(answer)
      socket.destroy()
    })
    socket.write(bytesOf(request, port))
  })
}

function bytesOf({ line, headers, body }: RecordedRequest, port: number): Buffer {
  const chunked = headers.some(([name, value]) => /^transfer-encoding$/i.test(name) && value === 'chunked')
  const payload = Buffer.from(body)
  const sent = headers.map(([name, value]) =>
    /^content-length$/i.test(name) ? `${name}: ${payload.length}` : `${name}: ${value}`,
  )
  const head = `${[line, `Host: 127.0.0.1:${port}`, ...sent].join('\r\n')}\r\n\r\n`
  const chunks = [`${payload.length.toString(16)}\r\n`, payload, '\r\n0\r\n\r\n']
  return Buffer.concat([head, ...(chunked ? chunks : [payload])].map((part) => Buffer.from(part)))
}

/** The answer, once all of it is there. */
function readAnswer(bytes: Buffer): RawAnswer | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [first = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  )
  const rest = bytes.subarray(end + 4)
  const body = headers['transfer-encoding'] === 'chunked' ? joined(rest) : rest
  if (body === undefined || body.length < Number(headers['content-length'] ?? 0)) return undefined
  return { status: Number(first.split(' ')[1]), headers, body: body.toString() }
}

/** The parts of a chunked body; undefined before its end. */
function joined(bytes: Buffer): Buffer | undefined {
  const parts: Buffer[] = []
  for (let at = 0; ;) {
    const line = bytes.indexOf('\r\n', at)
    if (line < 0) return undefined
    const length = Number.parseInt(bytes.subarray(at, line).toString(), 16)
    if (bytes.length < line + 2 + length + 2) return undefined
    if (length === 0) return Buffer.concat(parts)
    parts.push(bytes.subarray(line + 2, line + 2 + length))
    at = line + 2 + length + 2
  }
}
