/** Messages a client may send on the stream, as the OpenAPI document shows them. Bodies are those of HTTP. */
import { z } from 'zod'
import type { ClientMessage } from '../messages.js'
import { hostField, nameField, namespaceField } from './fields.js'
import { instanceRefSchema, registrationSchema, signItemSchema, watchItemSchema } from './requests.js'

const envelope = {
  req: z.int().meta({ description: 'Number that the answer repeats.' }).exactOptional(),
  namespace: namespaceField.exactOptional(),
}
const views = { ...envelope, services: z.array(watchItemSchema) }

/** Any message of a client. */
export const clientMessageSchema: z.ZodType<ClientMessage> = z.union([
  z.object({ type: z.literal('hello'), ...envelope, client: z.string().exactOptional() }),
  z.object({ type: z.literal('ping'), req: envelope.req }),
  z.object({ type: z.literal('register'), ...envelope, instances: z.array(registrationSchema) }),
  z.object({ type: z.literal('heartbeat'), ...envelope, instances: z.array(instanceRefSchema) }),
  z.object({
    type: z.literal('deregister'),
    ...envelope,
    instances: z.array(instanceRefSchema).exactOptional(),
    host: hostField.exactOptional(),
    confirm: z.boolean().exactOptional(),
  }),
  z.object({ type: z.literal('watch'), ...views }),
  z.object({ type: z.literal('unwatch'), ...views }),
  z.object({ type: z.literal('resync'), ...views }),
  z.object({ type: z.literal('settled'), ...views, seq: z.int().exactOptional() }),
  z.object({ type: z.literal('ack'), seq: z.int() }),
  z.object({ type: z.literal('hint'), ...envelope, instances: z.array(instanceRefSchema) }),
  z.object({ type: z.literal('signs'), ...envelope, services: z.array(signItemSchema) }),
  z.object({
    type: z.literal('services'),
    ...envelope,
    prefix: z.string().exactOptional(),
    limit: z.int().exactOptional(),
    after: z.string().exactOptional(),
  }),
  z.object({ type: z.literal('lookup'), ...envelope, service: nameField, group: nameField.exactOptional() }),
])
