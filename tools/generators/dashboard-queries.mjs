/** Queries that several panels of the dashboard share. `{$}` begins the selector of the chosen nodes. */

export const RATE = '$__rate_interval'
const quantile = (q, name) =>
  `histogram_quantile(${q}, sum by (instance, le) (rate(${name}_bucket{$}[${RATE}])))`
export const perSecond = (name, label) => `sum by (instance, ${label}) (rate(${name}{$}[${RATE}]))`
/** Each node of a cluster knows all of it: of what its nodes say the largest figure. */
export const ofCluster = (expr, label) =>
  `max by (cluster${label === undefined ? '' : `, ${label}`}) (${expr} * on (job, instance) group_left (cluster) rollcall_node_info{$})`
export const latencies = (name) => [
  { expr: quantile(0.5, name), legend: '{{instance}} p50' },
  { expr: quantile(0.99, name), legend: '{{instance}} p99' },
]

/** Colours of what should be 0. */
export const NONE = [
  [null, 'green'],
  [1, 'red'],
]
