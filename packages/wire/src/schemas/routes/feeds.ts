/** Routes that go on telling, the index and the document. */
import { STREAM_PATH } from '../../messages.js'
import * as p from '../parameters/table.js'
import { apiIndexShape } from '../../shapes/api-index.js'
import { eventsResponseShape } from '../../shapes/events.js'
import type { RoutesOf } from './route.js'

export const feeds: RoutesOf<'listEvents' | 'watch' | 'stream' | 'index' | 'openapi'> = {
  listEvents: {
    method: 'GET',
    path: '/api/v1/events',
    summary:
      'What happened, by whom and why: the newest, or what came after a number. With `follow` as server-sent events.',
    tag: 'operators',
    parameters: {
      namespace: p.namespaceFilter,
      service: p.serviceFilter,
      group: p.groupFilter,
      id: p.idFilter,
      kind: p.kind,
      after: p.afterEvent,
      limit: p.eventsLimit,
      follow: p.follow,
    },
    headers: [p.lastEventId],
    successes: [
      { status: 200, description: 'Events, oldest first.', shape: eventsResponseShape, streams: true },
    ],
    errors: ['forbidden_origin', 'protocol'],
  },
  watch: {
    method: 'GET',
    path: '/api/v1/watch',
    summary: `Server-sent events: \`view\`, then \`delta\`. \`id\` resumes by Last-Event-ID on any node. A comment keeps the connection open.`,
    tag: 'registry',
    parameters: { service: p.watched, namespace: p.namespace },
    headers: [p.lastEventId],
    successes: [
      { status: 200, description: 'The events; see docs/protocol.md.', mediaType: 'text/event-stream' },
    ],
    errors: ['forbidden_origin', 'protocol', 'not_ready'],
  },
  stream: {
    method: 'GET',
    path: STREAM_PATH,
    summary: 'The WebSocket stream, subprotocol rollcall.v1; see docs/protocol.md.',
    tag: 'registry',
    parameters: {},
    successes: [{ status: 101, description: 'The stream is open.' }],
    errors: ['forbidden_origin', 'protocol'],
  },
  index: {
    method: 'GET',
    path: '/api',
    summary: 'Where to go on: the document, the operations, examples.',
    tag: 'registry',
    parameters: {},
    successes: [{ status: 200, description: 'The index.', shape: apiIndexShape }],
    errors: [],
  },
  openapi: {
    method: 'GET',
    path: '/api/v1/openapi.json',
    summary: 'This document.',
    tag: 'registry',
    parameters: {},
    successes: [{ status: 200, description: 'OpenAPI 3.1.', mediaType: 'application/json' }],
    errors: [],
  },
}
