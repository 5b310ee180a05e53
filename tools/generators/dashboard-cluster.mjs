/** The panels of the dashboard about how the nodes of a cluster work together, as dashboard-panels.mjs has the others. */

const rate = (name) => `rate(${name}{$}[$__rate_interval])`

export const CLUSTER = {
  title: 'Nodes of a cluster',
  height: 8,
  panels: [
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
