/** Every metric of a node, in one place: name, kind, help and its one label, if it has one. */
import { LABEL_VALUES } from './metric-labels.js'

export interface MetricInfo {
  /** `info` is a gauge that is always 1 and says something in its labels. */
  readonly kind: 'counter' | 'gauge' | 'histogram' | 'info'
  readonly help: string
  /** Name of the label; a metric has at most one, but for an `info`. */
  readonly label?: string
  /** Names of the labels of an `info`. */
  readonly labels?: readonly string[]
  /**
   * The values that the label takes. Counters and histograms have a series of each from the start, at zero: what only
   * appears with its first event is missed by `rate` and `increase`.
   */
  readonly values?: readonly string[]
  /** A gauge that is not shown until it is set, because not every system tells it. The others begin at zero. */
  readonly optional?: true
  /** Upper bounds of the buckets of a histogram, in its unit. Default: those of latencies, 0.1 ms to 10 s. */
  readonly buckets?: readonly number[]
}

/** A metric, with the name of the list of its label's values. */
type Entry = Omit<MetricInfo, 'values'> & { readonly values?: keyof typeof LABEL_VALUES }

const CATALOGUE = {
  rollcall_build_info: {
    kind: 'info',
    help: 'The software: its version, that of Node, and what it runs on.',
    labels: ['version', 'node_version', 'platform', 'arch'],
  },
  rollcall_node_info: {
    kind: 'info',
    help: 'The node: its id, unique per boot, its cluster, and where it keeps its state: disk or memory.',
    labels: ['node', 'cluster', 'storage'],
  },
  rollcall_ready: { kind: 'gauge', help: '1 while /readyz answers 200, else 0.' },
  rollcall_http_requests_total: {
    kind: 'counter',
    help: 'HTTP requests answered, by status class.',
    label: 'status',
    values: 'statusClasses',
  },
  rollcall_http_request_duration_seconds: {
    kind: 'histogram',
    help: 'Time from request to answer, long polls excluded.',
  },
  rollcall_foreign_requests_total: {
    kind: 'counter',
    help: 'HTTP requests by the protocols of other registries, by protocol; all of them count as HTTP requests too.',
    label: 'protocol',
    values: 'foreignProtocols',
  },
  rollcall_stream_sessions: { kind: 'gauge', help: 'Open stream connections.' },
  rollcall_sse_subscribers: { kind: 'gauge', help: 'Open server-sent event streams.' },
  rollcall_messages_received_total: {
    kind: 'counter',
    help: 'Stream messages received, by type; unknown stands for all that the node does not understand.',
    label: 'type',
    values: 'messages',
  },
  rollcall_commands_total: {
    kind: 'counter',
    help: 'Commands, which change the registry, by kind; refused ones count too.',
    label: 'kind',
    values: 'commands',
  },
  rollcall_command_duration_seconds: {
    kind: 'histogram',
    help: 'Time from a command that was done to its answer, the commit included.',
  },
  rollcall_registrations_total: {
    kind: 'counter',
    help: 'Registrations judged, by result: ok or the error code.',
    label: 'result',
    values: 'registrations',
  },
  rollcall_heartbeats_total: { kind: 'counter', help: 'Instances named in heartbeats.' },
  rollcall_deregistrations_total: { kind: 'counter', help: 'Instances deregistered.' },
  rollcall_instances: {
    kind: 'gauge',
    help: 'Listed instances, by state.',
    label: 'state',
    values: 'states',
  },
  rollcall_services: { kind: 'gauge', help: 'Services with at least one listed instance or a declaration.' },
  rollcall_remembered_records: {
    kind: 'gauge',
    help: 'Hidden records that are remembered: expired, deregistered, or stray, which was deregistered and never registered here.',
    label: 'kind',
    values: 'remembered',
  },
  rollcall_record_bytes: {
    kind: 'gauge',
    help: 'Memory charged for records, by kind: listed, expired, deregistered and stray.',
    label: 'kind',
    values: 'accounts',
  },
  rollcall_overrides: { kind: 'gauge', help: 'Overrides that stand.' },
  rollcall_frozen_namespaces: {
    kind: 'gauge',
    help: 'Freezes that stand; all namespaces at once count as one.',
  },
  rollcall_guards_tripped: {
    kind: 'gauge',
    help: 'Refusals to believe silence: services that keep silent instances, zones in which the node doubts its ears.',
    label: 'guard',
    values: 'guards',
  },
  rollcall_guard_kept_instances: {
    kind: 'gauge',
    help: 'Instances kept in spite of their silence by guards that are tripped, all services together.',
  },
  rollcall_transitions_total: {
    kind: 'counter',
    help: 'Changes of shown state, by new state; hidden when it is deregistered or expired.',
    label: 'state',
    values: 'transitions',
  },
  rollcall_probes_total: {
    kind: 'counter',
    help: 'Probes made, by outcome.',
    label: 'outcome',
    values: 'outcomes',
  },
  rollcall_stalls_total: {
    kind: 'counter',
    help: 'Stalls of the event loop, by more than 50 ms, that postponed all judgement.',
  },
  rollcall_publications_total: {
    kind: 'counter',
    help: 'Deltas and views published.',
    label: 'kind',
    values: 'publications',
  },
  rollcall_deliveries_total: { kind: 'counter', help: 'Publications handed to subscribers.' },
  rollcall_slow_subscribers_total: {
    kind: 'counter',
    help: 'Times a subscriber stopped reading and was dropped to a full view.',
  },
  rollcall_sign_faults_total: {
    kind: 'counter',
    help: 'Signs shown by subscribers that no history explains.',
  },
  rollcall_feed_bytes: { kind: 'gauge', help: 'Memory charged for remembered changes of namespaces.' },
  rollcall_feed_lost_total: {
    kind: 'counter',
    help: 'Times a reader of a namespace was behind what is remembered and listed everything anew.',
  },
  rollcall_budget_used: {
    kind: 'gauge',
    help: 'What is held of a budget that counts things, by the quota: the setting that bounds it.',
    label: 'quota',
    values: 'countBudgets',
  },
  rollcall_budget_max: {
    kind: 'gauge',
    help: 'The bound of a budget that counts things, by the quota.',
    label: 'quota',
    values: 'countBudgets',
  },
  rollcall_budget_used_bytes: {
    kind: 'gauge',
    help: 'Bytes held of a budget of memory, by the quota. Of the heap: alive after the last major collection, and accepted since. Of receivedShort: the part of receivedBytesMax that short bodies have for themselves.',
    label: 'quota',
    values: 'byteBudgets',
  },
  rollcall_budget_max_bytes: {
    kind: 'gauge',
    help: 'The bound of a budget of memory, by the quota.',
    label: 'quota',
    values: 'byteBudgets',
  },
  rollcall_budget_faults_total: {
    kind: 'counter',
    help: 'How often a budget was given back more than it had lent, by the quota: a fault of the node, always 0.',
    label: 'quota',
    values: 'budgets',
  },
  rollcall_limit_refusals_total: {
    kind: 'counter',
    help: 'What was refused because a limit of the node was reached, by the quota: the setting that bounds it.',
    label: 'quota',
    values: 'quotas',
  },
  rollcall_journal_commits_total: { kind: 'counter', help: 'Group commits.' },
  rollcall_journal_entries_total: { kind: 'counter', help: 'Journal entries committed.' },
  rollcall_journal_bytes_total: { kind: 'counter', help: 'Bytes appended to the journal.' },
  rollcall_journal_commit_duration_seconds: {
    kind: 'histogram',
    help: 'Time of a write and fsync of one group commit.',
  },
  rollcall_journal_failing: {
    kind: 'gauge',
    help: '1 while the disk refuses writes and acknowledgements say memory.',
  },
  rollcall_journal_failures_total: {
    kind: 'counter',
    help: 'Times the disk refused: call = a system call failed, slow = one took too long, queue = too much waited, files = files of the journal were removed, cut or replaced, lock = the directory was lost.',
    label: 'cause',
    values: 'journalFaults',
  },
  rollcall_connections_dropped_total: {
    kind: 'counter',
    help: 'Connections closed unanswered because the node holds as many as it may.',
  },
  process_cpu_user_seconds_total: { kind: 'counter', help: 'CPU time of the process in its own code.' },
  process_cpu_system_seconds_total: { kind: 'counter', help: 'CPU time of the process in the kernel.' },
  rollcall_cluster_nodes: {
    kind: 'gauge',
    help: 'Nodes of the cluster that are there, this one included; 1 for a node by itself.',
  },
  rollcall_island: {
    kind: 'gauge',
    help: '1 while the node has lost the engine that joins it with others, else 0.',
  },
  rollcall_judged_instances: {
    kind: 'gauge',
    help: 'Listed instances that this node judges; over all nodes of a cluster each counts once.',
  },
  rollcall_adoptions_total: {
    kind: 'counter',
    help: 'Instances that this node judges in place of one that is gone from the engine.',
  },
  rollcall_unpublished_records: { kind: 'gauge', help: 'Changes that are not in the engine yet.' },
  rollcall_publish_lag_seconds: {
    kind: 'gauge',
    help: 'Age of the oldest change that is not in the engine yet; 0 where all are.',
  },
  rollcall_divergence_keys: {
    kind: 'gauge',
    help: 'Keys in which the node differed from the engine when it compared last, and which it repaired.',
  },
  rollcall_engine_alarms: {
    kind: 'gauge',
    help: 'Alarms that the engine has raised, such as that its store is full.',
  },
  rollcall_engine_operations_total: {
    kind: 'counter',
    help: 'What the engine was asked, by kind; renewal is a sign of life that kept the key of this node.',
    label: 'kind',
    values: 'engineOperations',
  },
  rollcall_engine_failures_total: {
    kind: 'counter',
    help: 'What the engine did not do, or stopped doing, by reason.',
    label: 'failure',
    values: 'engineFailures',
  },
  rollcall_engine_writes_total: {
    kind: 'counter',
    help: 'Keys written to the engine, by result; refused: another node wrote it first, and it is merged and tried again.',
    label: 'result',
    values: 'engineWrites',
  },
  rollcall_engine_write_duration_seconds: {
    kind: 'histogram',
    help: 'Time that the engine took for a batch of writes.',
  },
  process_cpu_seconds_total: { kind: 'counter', help: 'CPU time of the process, both together.' },
  process_start_time_seconds: { kind: 'gauge', help: 'When the process began, in seconds since the epoch.' },
  process_resident_memory_bytes: { kind: 'gauge', help: 'Memory of the process that is in RAM.' },
  process_open_fds: {
    kind: 'gauge',
    help: 'Open file descriptors. Where the kernel does not say (Linux before 6.2) as counted at the scrape before; elsewhere than on Linux not shown.',
    optional: true,
  },
  process_max_fds: {
    kind: 'gauge',
    help: 'Most file descriptors the process may open; elsewhere than on Linux not shown.',
    optional: true,
  },
  nodejs_heap_size_used_bytes: { kind: 'gauge', help: 'JavaScript heap in use, garbage included.' },
  nodejs_heap_size_total_bytes: { kind: 'gauge', help: 'JavaScript heap that V8 holds.' },
  nodejs_heap_size_limit_bytes: {
    kind: 'gauge',
    help: 'JavaScript heap at which V8 ends the process (--max-old-space-size).',
  },
  nodejs_external_memory_bytes: { kind: 'gauge', help: 'Memory outside the heap that objects in it hold.' },
  nodejs_eventloop_lag_mean_seconds: {
    kind: 'gauge',
    help: 'Mean delay of the event loop since the previous scrape.',
  },
  nodejs_eventloop_lag_p50_seconds: {
    kind: 'gauge',
    help: 'Median delay of the event loop since the previous scrape.',
  },
  nodejs_eventloop_lag_p99_seconds: {
    kind: 'gauge',
    help: '99th percentile of the delay of the event loop since the previous scrape.',
  },
  nodejs_eventloop_lag_max_seconds: {
    kind: 'gauge',
    help: 'Longest delay of the event loop since the previous scrape.',
  },
  nodejs_gc_duration_seconds: {
    kind: 'histogram',
    help: 'Pauses by garbage collection, by kind.',
    label: 'kind',
    values: 'collections',
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
  },
  rollcall_peer_links: { kind: 'gauge', help: 'Other nodes of the cluster that are linked directly.' },
  rollcall_peer_refs_total: {
    kind: 'counter',
    help: 'Signs of life passed on to the node that judges the instance.',
  },
  rollcall_peer_dropped_total: {
    kind: 'counter',
    help: 'Messages to other nodes that were not sent, because the node is not linked or too slow.',
  },
  rollcall_peer_refused_total: {
    kind: 'counter',
    help: 'Connections for links between nodes that proved nothing, or not enough.',
  },
  rollcall_peer_unread_total: {
    kind: 'counter',
    help: 'Records and declarations sent by other nodes that this version cannot read.',
  },
  rollcall_dns_queries_total: {
    kind: 'counter',
    help: 'DNS queries by what was answered; limited: told to come by TCP, because its source sends too many.',
    label: 'answer',
    values: 'dnsAnswers',
  },
  rollcall_dns_truncated_total: {
    kind: 'counter',
    help: 'DNS answers that left something out, which TCP would hold; limited ones too.',
  },
  rollcall_dns_dropped_total: {
    kind: 'counter',
    help: 'DNS answers that were not sent, because the system did not take them, or their reader does not read.',
  },
  rollcall_dns_connections: { kind: 'gauge', help: 'Open TCP connections of DNS clients.' },
} as const

export type MetricName = keyof typeof CATALOGUE

export const METRICS: Readonly<Record<MetricName, MetricInfo>> = Object.fromEntries(
  Object.entries<Entry>(CATALOGUE).map(([name, { values, ...info }]) => [
    name,
    values === undefined ? info : { ...info, values: LABEL_VALUES[values] },
  ]),
) as Record<MetricName, MetricInfo>

/** Where components report figures. Cheap enough for hot paths. */
export interface Meter {
  /** Adds to a counter. */
  count(name: MetricName, by?: number, label?: string): void
  /** Sets a gauge. */
  set(name: MetricName, value: number, label?: string): void
  /** Adds an observation to a histogram, in its unit: seconds. */
  observe(name: MetricName, value: number, label?: string): void
}

/** A meter that keeps nothing. */
export const NO_METER: Meter = { count() {}, set() {}, observe() {} }
