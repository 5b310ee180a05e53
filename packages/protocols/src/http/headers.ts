/**
 * The few headers the protocol looks at, taken in one pass over what the parser read. Node builds its object of
 * all headers only when it is asked for, which costs more than routing does.
 */
import type { IncomingMessage } from 'node:http'

/** Headers of a request; of a repeated one the first. The listener lets no second Host in. */
export interface RequestHeaders {
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly contentType: string | undefined
  readonly contentLength: string | undefined
  readonly contentEncoding: string | undefined
  readonly expect: string | undefined
  readonly ifNoneMatch: string | undefined
  readonly lastEventId: string | undefined
  readonly accept: string | undefined
  readonly acceptEncoding: string | undefined
}

/** Reads the headers of a request. */
export function headersOf(req: Pick<IncomingMessage, 'rawHeaders'>): RequestHeaders {
  const found: { -readonly [K in keyof RequestHeaders]: RequestHeaders[K] } = {
    host: undefined,
    origin: undefined,
    contentType: undefined,
    contentLength: undefined,
    contentEncoding: undefined,
    expect: undefined,
    ifNoneMatch: undefined,
    lastEventId: undefined,
    accept: undefined,
    acceptEncoding: undefined,
  }
  const raw = req.rawHeaders
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const key = keyOf(raw[index] as string)
    if (key !== undefined) found[key] ??= raw[index + 1]
  }
  return found
}

/** The length tells almost all headers apart before a text is compared. */
function keyOf(name: string): keyof RequestHeaders | undefined {
  switch (name.length) {
    case 4:
      return name.toLowerCase() === 'host' ? 'host' : undefined
    case 6: {
      const lower = name.toLowerCase()
      return lower === 'origin' || lower === 'accept' || lower === 'expect' ? lower : undefined
    }
    case 12:
      return name.toLowerCase() === 'content-type' ? 'contentType' : undefined
    case 13: {
      const lower = name.toLowerCase()
      return lower === 'if-none-match' ? 'ifNoneMatch' : lower === 'last-event-id' ? 'lastEventId' : undefined
    }
    case 14:
      return name.toLowerCase() === 'content-length' ? 'contentLength' : undefined
    case 15:
      return name.toLowerCase() === 'accept-encoding' ? 'acceptEncoding' : undefined
    case 16:
      return name.toLowerCase() === 'content-encoding' ? 'contentEncoding' : undefined
    default:
      return undefined
  }
}
