/** Routes that go on telling, how the node and its cluster do, the index and the document. */
import { STREAM_PATH } from '../../messages.js'
import * as p from '../parameters/table.js'
import { apiIndexShape } from '../../shapes/api-index.js'
import { clusterResponseShape } from '../../shapes/cluster.js'
import { eventsResponseShape } from '../../shapes/events.js'
import { nodeStatusShape } from '../../shapes/status.js'
import type { RoutesOf } from './route.js'

export const feeds: RoutesOf<'listEvents' | 'watch' | 'stream' | 'status' | 'cluster' | 'index' | 'openapi'> =
  {
    listEvents: {
      method: 'GET',
      path: '/api/v1/events',
      summary:
        'What happened, by whom and why: the newest, or what came after a number. With `follow` as server-sent events.',
      description:
        'The log of the node that is asked, in memory, from its start on; with `nodes=all`, of all nodes of its cluster. Registrations, changes of health, overrides, freezes and guards are in it; heartbeats are not. `lost` counts what was forgotten before it was read.',
      tag: 'operators',
      parameters: {
        namespace: p.namespaceFilter,
        service: p.serviceFilter,
        group: p.groupFilter,
        id: p.idFilter,
        kind: p.kind,
        since: p.sinceWhen,
        until: p.untilWhen,
        after: p.afterEvent,
        limit: p.eventsLimit,
        follow: p.follow,
        nodes: p.nodes,
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
      description:
        'Up to 128 services. The first event of each is its list unless the resumed sign is current. A comment comes every 15 s. A reader that is too slow gets the list anew when it reads again.',
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
      description:
        'One session for everything: it vouches for the instances that it registered, takes watches, and pushes views and deltas. Send an Upgrade request of RFC 6455. The messages are described in docs/protocol.md and docs/reference/stream.schema.json.',
      tag: 'registry',
      parameters: {},
      successes: [{ status: 101, description: 'The stream is open.' }],
      errors: ['forbidden_origin', 'protocol'],
    },
    status: {
      method: 'GET',
      path: '/api/v1/status',
      summary:
        'How this node does: version, what is listed and connected, guards, freezes and overrides in force, journal, memory.',
      description:
        'It costs the node the same, however much is registered, and is answered also while the node is not ready. Of the freezes the ten oldest are named.',
      tag: 'operators',
      parameters: {},
      successes: [{ status: 200, description: 'The node at this moment.', shape: nodeStatusShape }],
      errors: [],
    },
    cluster: {
      method: 'GET',
      path: '/api/v1/cluster',
      summary: 'The nodes of the cluster with their state and load, and the engine that joins them.',
      description:
        'As the node that is asked knows it: what the others told it last, a few seconds old. It is answered also while the node is not ready or has lost the engine. A node by itself is a cluster of one.',
      tag: 'operators',
      parameters: {},
      successes: [{ status: 200, description: 'The cluster at this moment.', shape: clusterResponseShape }],
      errors: [],
    },
    index: {
      method: 'GET',
      path: '/api',
      summary: 'Where to go on: the document, the operations, examples.',
      description: 'For a person with curl, or a program that knows only the address of the node.',
      tag: 'registry',
      parameters: {},
      successes: [{ status: 200, description: 'The index.', shape: apiIndexShape }],
      errors: [],
    },
    openapi: {
      method: 'GET',
      path: '/api/v1/openapi.json',
      summary: 'This document.',
      description: 'With the limits of the node that is asked.',
      tag: 'registry',
      parameters: {},
      successes: [{ status: 200, description: 'OpenAPI 3.1.', mediaType: 'application/json' }],
      errors: [],
    },
  }
