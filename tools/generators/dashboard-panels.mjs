/**
 * What the dashboard shows: sections of panels, each with its queries. In an expression `{$` begins the selector of the
 * chosen nodes. `about` is what a reader sees at the (i): what the figure says, and when to look closer.
 */
import { CLUSTER } from './dashboard-cluster.mjs'
import { DNS } from './dashboard-dns.mjs'
import { latencies, NONE, ofCluster, perSecond, RATE } from './dashboard-queries.mjs'

const budgets = (unit) =>
  `rollcall_budget_used${unit}{$} / on (job, instance, quota) rollcall_budget_max${unit}{$}`
/** Colours of a share that should stay away from 1, as the alerts have it. */
const SHARE = [
  [null, 'green'],
  [0.75, 'yellow'],
  [0.85, 'red'],
]
const YES_NO = [{ type: 'value', options: { 0: { text: 'no', index: 0 }, 1: { text: 'yes', index: 1 } } }]

const OVERVIEW = {
  title: 'What runs',
  height: 5,
  panels: [
    {
      kind: 'stat',
      title: 'Ready',
      about: 'Whether /readyz answers 200. A node that is not ready refuses lookups, unless it is an island.',
      width: 3,
      unit: 'none',
      mappings: YES_NO,
      steps: [
        [null, 'red'],
        [1, 'green'],
      ],
      queries: [{ expr: 'min(rollcall_ready{$})' }],
    },
    {
      kind: 'stat',
      title: 'Durable',
      about:
        'No: the disk refuses the journal, and what changes now is lost with the process. A node with --memory says yes.',
      width: 3,
      unit: 'none',
      mappings: YES_NO,
      steps: [
        [null, 'red'],
        [1, 'green'],
      ],
      queries: [{ expr: '1 - max(rollcall_journal_failing{$})' }],
    },
    {
      kind: 'stat',
      title: 'Instances',
      about: 'Listed instances in whatever state.',
      width: 3,
      unit: 'short',
      queries: [{ expr: `sum(${ofCluster('rollcall_instances{$}', 'state')})` }],
    },
    {
      kind: 'stat',
      title: 'Not up',
      about: 'Listed instances that are suspect or down.',
      width: 3,
      unit: 'short',
      queries: [{ expr: `sum(${ofCluster('rollcall_instances{$,state=~"suspect|down"}', 'state')})` }],
    },
    {
      kind: 'stat',
      title: 'Services',
      about: 'Services with at least one listed instance or a declaration.',
      width: 3,
      unit: 'short',
      queries: [{ expr: `sum(${ofCluster('rollcall_services{$}')})` }],
    },
    {
      kind: 'stat',
      title: 'Up since',
      about: 'Time since the youngest process began.',
      width: 3,
      unit: 's',
      queries: [{ expr: 'min(time() - process_start_time_seconds{$})' }],
    },
    {
      kind: 'table',
      title: 'Versions',
      about: 'What runs where.',
      width: 6,
      columns: ['instance', 'version', 'node_version', 'cluster', 'storage'],
      queries: [
        {
          expr: 'rollcall_build_info{$} * on (job, instance) group_left (cluster, storage) rollcall_node_info{$}',
          format: 'table',
        },
      ],
    },
  ],
}

const INSTANCES = {
  title: 'Instances, guards and probes',
  height: 8,
  panels: [
    {
      title: 'Instances by state',
      about: 'A step down of up is a loss, a broad suspect a silence that is not believed yet.',
      unit: 'short',
      stack: true,
      queries: [
        { expr: `sum by (state) (${ofCluster('rollcall_instances{$}', 'state')})`, legend: '{{state}}' },
      ],
    },
    {
      title: 'Changes of state',
      about:
        'A second, by the new state; hidden is deregistered or expired. Alert: a tenth of all down within five minutes.',
      unit: 'ops',
      queries: [
        {
          expr: `sum by (state) (${ofCluster(`rate(rollcall_transitions_total{$}[${RATE}])`, 'state')})`,
          legend: '{{state}}',
        },
      ],
    },
    {
      title: 'Guards, freezes, overrides',
      about:
        'Guards that do not believe a silence, freezes that stand, overrides of operators. A guard or freeze that stays wants a look.',
      unit: 'short',
      queries: [
        { expr: 'rollcall_guards_tripped{$}', legend: '{{instance}} guard {{guard}}' },
        { expr: 'rollcall_guard_kept_instances{$}', legend: '{{instance}} kept by guards' },
        { expr: 'rollcall_frozen_namespaces{$}', legend: '{{instance}} freezes' },
        { expr: 'rollcall_overrides{$}', legend: '{{instance}} overrides' },
      ],
    },
    {
      title: 'Registrations',
      about: 'A second, by result. What is not ok is a program that is not listed.',
      unit: 'ops',
      queries: [
        { expr: perSecond('rollcall_registrations_total', 'result'), legend: '{{instance}} {{result}}' },
      ],
    },
    {
      title: 'Beats and deregistrations',
      about: 'Instances named in heartbeats over HTTP, and deregistered, a second.',
      unit: 'ops',
      queries: [
        { expr: `rate(rollcall_heartbeats_total{$}[${RATE}])`, legend: '{{instance}} beats' },
        { expr: `rate(rollcall_deregistrations_total{$}[${RATE}])`, legend: '{{instance}} deregistered' },
      ],
    },
    {
      title: 'Probes',
      about: 'A second, by outcome. unable: the node itself could not make it.',
      unit: 'ops',
      queries: [{ expr: perSecond('rollcall_probes_total', 'outcome'), legend: '{{instance}} {{outcome}}' }],
    },
  ],
}

const TRAFFIC = {
  title: 'Traffic',
  height: 8,
  panels: [
    {
      title: 'HTTP requests',
      about: 'A second, by status class. Alert: more than one in a hundred 5xx.',
      unit: 'reqps',
      queries: [
        { expr: perSecond('rollcall_http_requests_total', 'status'), legend: '{{instance}} {{status}}' },
        {
          expr: perSecond('rollcall_foreign_requests_total', 'protocol'),
          legend: '{{instance}} {{protocol}}',
        },
      ],
    },
    {
      title: 'Commands',
      about: 'Changes of the registry a second, by kind; refused ones too.',
      unit: 'ops',
      queries: [{ expr: perSecond('rollcall_commands_total', 'kind'), legend: '{{instance}} {{kind}}' }],
    },
    {
      title: 'Stream messages',
      about: 'Received a second, by type. resync is a client whose list did not fit: should not happen.',
      unit: 'ops',
      queries: [
        { expr: perSecond('rollcall_messages_received_total', 'type'), legend: '{{instance}} {{type}}' },
      ],
    },
    {
      title: 'Connected',
      about: 'Streams of the SDK, event streams, and views that are watched by them.',
      unit: 'short',
      queries: [
        { expr: 'rollcall_stream_sessions{$}', legend: '{{instance}} streams' },
        { expr: 'rollcall_sse_subscribers{$}', legend: '{{instance}} event streams' },
        { expr: 'rollcall_budget_used{$,quota="watchesMax"}', legend: '{{instance}} watches' },
        { expr: 'rollcall_budget_used{$,quota="waitersMax"}', legend: '{{instance}} long polls' },
      ],
    },
    {
      title: 'Publications and deliveries',
      about: 'Deltas and views published a second, and how many subscribers got one.',
      unit: 'ops',
      queries: [
        { expr: perSecond('rollcall_publications_total', 'kind'), legend: '{{instance}} {{kind}}' },
        { expr: `rate(rollcall_deliveries_total{$}[${RATE}])`, legend: '{{instance}} deliveries' },
      ],
    },
    {
      title: 'Subscribers that fall behind',
      about:
        'Slow: stopped reading. Lost: behind what is remembered. Faults: a sign that no history explains. A second.',
      unit: 'ops',
      queries: [
        { expr: `rate(rollcall_slow_subscribers_total{$}[${RATE}])`, legend: '{{instance}} slow' },
        { expr: `rate(rollcall_feed_lost_total{$}[${RATE}])`, legend: '{{instance}} lost' },
        { expr: `rate(rollcall_sign_faults_total{$}[${RATE}])`, legend: '{{instance}} faults' },
      ],
    },
  ],
}

const LATENCY = {
  title: 'Latency and durability',
  height: 8,
  panels: [
    {
      title: 'HTTP requests',
      about: 'From request to answer, long polls excluded. Alert: p99 over 250 ms.',
      unit: 's',
      queries: latencies('rollcall_http_request_duration_seconds'),
    },
    {
      title: 'Commands',
      about: 'From a command to its answer, the commit included.',
      unit: 's',
      queries: latencies('rollcall_command_duration_seconds'),
    },
    {
      title: 'Journal commits',
      about:
        'Write and fsync of a group commit. Alert: p99 over 500 ms; at 5 s the disk is taken for failed.',
      unit: 's',
      queries: latencies('rollcall_journal_commit_duration_seconds'),
    },
    {
      title: 'Journal',
      about: 'Commits and entries a second.',
      unit: 'ops',
      queries: [
        { expr: `rate(rollcall_journal_commits_total{$}[${RATE}])`, legend: '{{instance}} commits' },
        { expr: `rate(rollcall_journal_entries_total{$}[${RATE}])`, legend: '{{instance}} entries' },
      ],
    },
    {
      title: 'Journal bytes',
      about: 'Appended a second.',
      unit: 'Bps',
      queries: [{ expr: `rate(rollcall_journal_bytes_total{$}[${RATE}])` }],
    },
    {
      title: 'Journal failures',
      about: 'Failing: 1 while state is in memory only. Failures an hour, by cause.',
      unit: 'short',
      steps: NONE,
      queries: [
        { expr: 'rollcall_journal_failing{$}', legend: '{{instance}} failing' },
        { expr: 'increase(rollcall_journal_failures_total{$}[1h])', legend: '{{instance}} {{cause}}' },
      ],
    },
  ],
}

const MEMORY = {
  title: 'Memory and budgets',
  height: 9,
  panels: [
    {
      kind: 'bargauge',
      title: 'Budgets',
      about:
        'Share of each bound that is taken, now. From 75 % on a peer is held to its share, at 100 % all are refused.',
      unit: 'percentunit',
      steps: SHARE,
      queries: [
        { expr: `max by (quota) (${budgets('')})`, legend: '{{quota}}' },
        { expr: `max by (quota) (${budgets('_bytes')})`, legend: '{{quota}}' },
      ],
    },
    {
      title: 'Budgets over time',
      about: 'The same over time, all but small ones.',
      unit: 'percentunit',
      max: 1,
      steps: SHARE,
      queries: [
        { expr: `max by (quota) (${budgets('')}) > 0.01`, legend: '{{quota}}' },
        { expr: `max by (quota) (${budgets('_bytes')}) > 0.01`, legend: '{{quota}}' },
      ],
    },
    {
      title: 'Refused by a limit',
      about: 'A second, by the quota in whose name. Connections dropped: closed unanswered.',
      unit: 'ops',
      queries: [
        { expr: perSecond('rollcall_limit_refusals_total', 'quota'), legend: '{{instance}} {{quota}}' },
        { expr: `rate(rollcall_connections_dropped_total{$}[${RATE}])`, legend: '{{instance}} dropped' },
      ],
    },
    {
      title: 'Memory of the process',
      about:
        'In RAM, and the JavaScript heap with its limit. Used includes garbage; what is alive is the budget heap.',
      unit: 'bytes',
      queries: [
        { expr: 'process_resident_memory_bytes{$}', legend: '{{instance}} resident' },
        { expr: 'nodejs_heap_size_used_bytes{$}', legend: '{{instance}} heap used' },
        { expr: 'rollcall_budget_used_bytes{$,quota="heap"}', legend: '{{instance}} heap alive' },
        { expr: 'nodejs_heap_size_limit_bytes{$}', legend: '{{instance}} heap limit' },
        { expr: 'nodejs_external_memory_bytes{$}', legend: '{{instance}} external' },
      ],
    },
    {
      title: 'What records take',
      about: 'Memory charged for records, by kind, and for changes that are remembered.',
      unit: 'bytes',
      stack: true,
      queries: [
        { expr: 'sum by (kind) (rollcall_record_bytes{$})', legend: '{{kind}}' },
        { expr: 'sum(rollcall_feed_bytes{$})', legend: 'changes' },
      ],
    },
    {
      title: 'What left and is remembered',
      about: 'Hidden records, by kind; they go after the retention.',
      unit: 'short',
      stack: true,
      queries: [{ expr: 'sum by (kind) (rollcall_remembered_records{$})', legend: '{{kind}}' }],
    },
  ],
}

const PROCESS = {
  title: 'The process',
  height: 8,
  panels: [
    {
      title: 'CPU',
      about: 'Cores. A node works on one; alert: over 0.9 for a quarter of an hour.',
      width: 6,
      unit: 'short',
      steps: [
        [null, 'green'],
        [0.9, 'red'],
      ],
      queries: [
        { expr: `rate(process_cpu_user_seconds_total{$}[${RATE}])`, legend: '{{instance}} user' },
        { expr: `rate(process_cpu_system_seconds_total{$}[${RATE}])`, legend: '{{instance}} system' },
      ],
    },
    {
      title: 'Event loop delay',
      about: 'Since the scrape before. Alert: p99 over 100 ms. Stalls postpone all judgement.',
      width: 6,
      unit: 's',
      queries: [
        { expr: 'nodejs_eventloop_lag_mean_seconds{$}', legend: '{{instance}} mean' },
        { expr: 'nodejs_eventloop_lag_p99_seconds{$}', legend: '{{instance}} p99' },
        { expr: 'nodejs_eventloop_lag_max_seconds{$}', legend: '{{instance}} longest' },
      ],
    },
    {
      title: 'Garbage collection',
      about: 'Share of the time that the process was held up, by kind, and stalls of the loop an hour.',
      width: 6,
      unit: 'short',
      queries: [
        { expr: `rate(nodejs_gc_duration_seconds_sum{$}[${RATE}])`, legend: '{{instance}} {{kind}}' },
        { expr: 'increase(rollcall_stalls_total{$}[1h])', legend: '{{instance}} stalls' },
      ],
    },
    {
      title: 'File descriptors',
      about: 'Open, and the most (ulimit -n). Each connection takes one.',
      width: 6,
      unit: 'short',
      queries: [
        { expr: 'process_open_fds{$}', legend: '{{instance}} open' },
        { expr: 'process_max_fds{$}', legend: '{{instance}} most' },
      ],
    },
  ],
}

export const SECTIONS = [OVERVIEW, INSTANCES, CLUSTER, TRAFFIC, LATENCY, MEMORY, PROCESS, DNS]
