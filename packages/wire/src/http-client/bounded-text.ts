/** Reading of an answer that may be longer than a caller wants to hold. */
import { RegistryError } from '../errors.js'

/** The part of the platform's ReadableStream that is used. */
export interface ByteStream {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
    cancel(): Promise<unknown>
  }
}

/** Of every platform with `fetch`, but of no library of the language. */
declare const TextDecoder: new () => {
  decode(bytes?: Uint8Array, options?: { readonly stream: boolean }): string
}

/** The whole of a stream as UTF-8. Rejects with `protocol` where it is longer, and ends the connection. */
export async function boundedText(
  stream: ByteStream | null,
  bytesMax: number,
  base: string,
): Promise<string> {
  if (stream === null) return ''
  const reader = stream.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for (;;) {
    const { value } = await reader.read()
    if (value === undefined) return text + decoder.decode()
    bytes += value.length
    if (bytes > bytesMax) {
      void reader.cancel().catch(() => {})
      throw new RegistryError('protocol', `the answer of ${base} is longer than ${bytesMax} bytes`)
    }
    text += decoder.decode(value, { stream: true })
  }
}
