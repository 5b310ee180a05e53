/** The panels of the dashboard about how the nodes of a cluster work together, as dashboard-panels.mjs has the others. */

import { latencies, NONE, perSecond, RATE } from './dashboard-queries.mjs'

const rate = (name) => `rate(${name}{$}[${RATE}])`

export const CLUSTER = {
  title: 'Nodes and engine',
  height: 8,
  panels: [
    {
      title: 'Nodes',
      about:
        'How many nodes each node sees, itself included; 1 is a node by itself. Island: 1 while it has lost the engine.',
      unit: 'short',
      queries: [
        { expr: 'rollcall_cluster_nodes{$}', legend: '{{instance}} sees' },
        { expr: 'rollcall_island{$}', legend: '{{instance}} island' },
        { expr: 'rollcall_engine_alarms{$}', legend: '{{instance}} alarms' },
      ],
    },
    {
      title: 'What each node judges',
      about: 'Listed instances by the node that judges them; together they are all there are.',
      unit: 'short',
      stack: true,
      queries: [{ expr: 'rollcall_judged_instances{$}', legend: '{{instance}}' }],
    },
    {
      title: 'Adoptions',
      about: 'Instances a second that a node judges in place of one that is gone from the engine.',
      unit: 'ops',
      queries: [{ expr: rate('rollcall_adoptions_total') }],
    },
    {
      title: 'Not in the engine yet',
      about:
        'Changes that other nodes do not know, and the age of the oldest. Alert: over 10 s without an island.',
      unit: 'short',
      queries: [
        { expr: 'rollcall_unpublished_records{$}', legend: '{{instance}} changes' },
        { expr: 'rollcall_publish_lag_seconds{$}', legend: '{{instance}} seconds' },
      ],
    },
    {
      title: 'Engine operations',
      about: 'A second, by kind. Idle instances cost none but renewals of the node and scans that compare.',
      unit: 'ops',
      queries: [
        { expr: perSecond('rollcall_engine_operations_total', 'kind'), legend: '{{instance}} {{kind}}' },
        { expr: perSecond('rollcall_engine_writes_total', 'result'), legend: '{{instance}} keys {{result}}' },
      ],
    },
    {
      title: 'Engine writes',
      about: 'Time that the engine takes for a batch. Alert: p99 over 1 s.',
      unit: 's',
      queries: latencies('rollcall_engine_write_duration_seconds'),
    },
    {
      title: 'Engine failures and differences',
      about:
        'Failures an hour, by reason. Keys that differed from the engine when last compared: should be none.',
      unit: 'short',
      steps: NONE,
      queries: [
        { expr: 'increase(rollcall_engine_failures_total{$}[1h])', legend: '{{instance}} {{failure}}' },
        { expr: 'rollcall_divergence_keys{$}', legend: '{{instance}} keys differed' },
      ],
    },
    {
      title: 'Links',
      about: 'Other nodes that each node is linked with directly: one less than there are nodes.',
      width: 8,
      unit: 'short',
      queries: [{ expr: 'rollcall_peer_links{$}' }],
    },
    {
      title: 'Signs of life passed on',
      about: 'Heard by a node of instances that another one judges, and told to that one.',
      width: 8,
      unit: 'ops',
      queries: [{ expr: rate('rollcall_peer_refs_total') }],
    },
    {
      title: 'Not told between nodes',
      about: 'Messages that were not sent, connections that proved nothing, entries of another version.',
      width: 8,
      unit: 'ops',
      queries: [
        { expr: rate('rollcall_peer_dropped_total'), legend: '{{instance}} not sent' },
        { expr: rate('rollcall_peer_refused_total'), legend: '{{instance}} refused' },
        { expr: rate('rollcall_peer_unread_total'), legend: '{{instance}} unread' },
      ],
    },
  ],
}
