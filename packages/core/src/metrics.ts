/** Every metric of a node, in one place: name, kind, help and its one label, if it has one. */

export interface MetricInfo {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  /** Name of the label; a metric has at most one. */
  readonly label?: string
}

const CATALOGUE = {
  rollcall_http_requests_total: {
    kind: 'counter',
    help: 'HTTP requests answered, by status class.',
    label: 'status',
  },
  rollcall_http_request_duration_ms: {
    kind: 'histogram',
    help: 'Time from request to answer, long polls excluded.',
  },
  rollcall_stream_sessions: { kind: 'gauge', help: 'Open stream connections.' },
  rollcall_sse_subscribers: { kind: 'gauge', help: 'Open server-sent event streams.' },
  rollcall_long_polls: { kind: 'gauge', help: 'Requests that wait for a change.' },
  rollcall_unsent_bytes: {
    kind: 'gauge',
    help: 'Bytes that are held for readers of answers and streams that have not taken them; shared ones once.',
  },
  rollcall_unsent_bytes_max: { kind: 'gauge', help: 'Bound of rollcall_unsent_bytes.' },
  rollcall_received_bytes: { kind: 'gauge', help: 'Bytes of request bodies that arrive or are worked on.' },
  rollcall_received_bytes_max: { kind: 'gauge', help: 'Bound of rollcall_received_bytes.' },
  rollcall_messages_received_total: {
    kind: 'counter',
    help: 'Stream messages received, by type.',
    label: 'type',
  },
  rollcall_commands_total: {
    kind: 'counter',
    help: 'Commands, which change the registry, by kind; refused ones count too.',
    label: 'kind',
  },
  rollcall_command_duration_ms: {
    kind: 'histogram',
    help: 'Time from a command that was done to its answer, the commit included.',
  },
  rollcall_registrations_total: {
    kind: 'counter',
    help: 'Registrations judged, by result code.',
    label: 'result',
  },
  rollcall_heartbeats_total: { kind: 'counter', help: 'Instances named in heartbeats.' },
  rollcall_deregistrations_total: { kind: 'counter', help: 'Instances deregistered.' },
  rollcall_instances: { kind: 'gauge', help: 'Listed instances, by state.', label: 'state' },
  rollcall_services: { kind: 'gauge', help: 'Services with at least one listed instance or a declaration.' },
  rollcall_remembered_records: {
    kind: 'gauge',
    help: 'Hidden records that are remembered: expired, deregistered, or stray, which was deregistered and never registered here.',
    label: 'kind',
  },
  rollcall_record_bytes: {
    kind: 'gauge',
    help: 'Memory charged for records, by kind: listed, expired, deregistered and stray.',
    label: 'kind',
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
  },
  rollcall_guard_kept_instances: {
    kind: 'gauge',
    help: 'Instances kept in spite of their silence by guards that are tripped, all services together.',
  },
  rollcall_transitions_total: {
    kind: 'counter',
    help: 'Changes of shown state, by new state.',
    label: 'state',
  },
  rollcall_probes_total: { kind: 'counter', help: 'Probes made, by outcome.', label: 'outcome' },
  rollcall_stalls_total: { kind: 'counter', help: 'Stalls of the event loop that postponed all judgement.' },
  rollcall_publications_total: { kind: 'counter', help: 'Deltas and views published.', label: 'kind' },
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
    help: 'What is held of a budget, in its unit, by the quota. Of the heap: bytes alive after the last major collection, and what was accepted since.',
    label: 'quota',
  },
  rollcall_budget_max: { kind: 'gauge', help: 'The bound of a budget, by the quota.', label: 'quota' },
  rollcall_budget_faults_total: {
    kind: 'counter',
    help: 'How often a budget was given back more than it had lent, by the quota: a fault of the node, always 0.',
    label: 'quota',
  },
  rollcall_limit_refusals_total: {
    kind: 'counter',
    help: 'What was refused because a limit of the node was reached, by the quota: the setting that bounds it.',
    label: 'quota',
  },
  rollcall_watches: { kind: 'gauge', help: 'Watched views, summed over subscribers.' },
  rollcall_journal_commits_total: { kind: 'counter', help: 'Group commits.' },
  rollcall_journal_entries_total: { kind: 'counter', help: 'Journal entries committed.' },
  rollcall_journal_bytes_total: { kind: 'counter', help: 'Bytes appended to the journal.' },
  rollcall_journal_commit_duration_ms: {
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
  },
  rollcall_connections: { kind: 'gauge', help: 'Open connections of the listener, streams included.' },
  rollcall_connections_dropped_total: {
    kind: 'counter',
    help: 'Connections closed unanswered because the node holds as many as it may.',
  },
  rollcall_process_resident_bytes: { kind: 'gauge', help: 'Memory of the process that is in RAM.' },
  rollcall_process_heap_bytes: { kind: 'gauge', help: 'JavaScript heap in use.' },
  rollcall_process_event_loop_delay_p99_ms: {
    kind: 'gauge',
    help: '99th percentile of the event loop delay since the previous scrape.',
  },
  rollcall_process_uptime_ms: { kind: 'gauge', help: 'Time since the process began.' },
} as const

export type MetricName = keyof typeof CATALOGUE

export const METRICS: Readonly<Record<MetricName, MetricInfo>> = CATALOGUE

/** Where components report figures. Cheap enough for hot paths. */
export interface Meter {
  /** Adds to a counter. */
  count(name: MetricName, by?: number, label?: string): void
  /** Sets a gauge. */
  set(name: MetricName, value: number, label?: string): void
  /** Adds an observation to a histogram. */
  observe(name: MetricName, value: number): void
}

/** A meter that keeps nothing. */
export const NO_METER: Meter = { count() {}, set() {}, observe() {} }
