/** Readers of client messages, and of the one request that is both: the comparison of signs. */
import type {
  AckMessage,
  HelloMessage,
  LookupMessage,
  ServicesMessage,
  SettledMessage,
  WatchMessage,
} from '../../messages.js'
import { object, type Fields } from '../../shape/shape.js'
import type { SignsRequest } from '../../types.js'
import {
  ackFields,
  helloFields,
  lookupFields,
  servicesFields,
  settledFields,
  watchFields,
} from '../../shapes/messages.js'
import { signsRequestShape } from '../../shapes/services.js'
import { viewsReader, wholeReader, type Read } from './batch.js'

/** A message without its envelope. */
type Content<Message> = Omit<Message, 'type' | 'req'>

function contentReader<T extends object>(fields: Fields<T>): (message: unknown) => T {
  const read = wholeReader(object<T>(fields))
  return (message) => read(message).value
}

/** Reads the first message of a stream. */
export const readHello: (message: unknown) => Content<HelloMessage> = contentReader(helloFields)

/** Reads the request for one view. */
export const readLookup: (message: unknown) => Content<LookupMessage> = contentReader(lookupFields)

/** Reads the request for the list of services. */
export const readServicesQuery: (message: unknown) => Content<ServicesMessage> = contentReader(servicesFields)

/** Reads an acknowledgement. */
export const readAck: (message: unknown) => Content<AckMessage> = contentReader(ackFields)

/** Reads a comparison of signs. */
export const readSigns: (body: unknown, itemsMax: number) => Read<SignsRequest> =
  viewsReader(signsRequestShape)

/** Reads a watch, unwatch or resync message. */
export const readWatch: (body: unknown, itemsMax: number) => Read<Content<WatchMessage>> = viewsReader(
  object<Content<WatchMessage>>(watchFields),
)

const settled = viewsReader(object<Content<SettledMessage>>(settledFields))

/** Reads the question whether all subscribers have acknowledged; the items are those of a watch. */
export function readSettled(body: unknown, itemsMax: number): Content<SettledMessage> {
  return settled(body, itemsMax).value
}
