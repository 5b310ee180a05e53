/** The panels of the dashboard about DNS. */
import { RATE } from './dashboard-queries.mjs'

export const DNS = {
  title: 'DNS',
  height: 8,
  panels: [
    {
      title: 'DNS answers',
      about: 'What queries were answered; limited ones were told to come by TCP.',
      width: 12,
      unit: 'ops',
      queries: [
        { expr: `sum by (answer) (rate(rollcall_dns_queries_total{$}[${RATE}]))`, legend: '{{answer}}' },
      ],
    },
    {
      title: 'DNS answers that are not whole',
      about:
        'Truncated, so that readers come by TCP; dropped, because the system or the reader did not take them.',
      width: 6,
      unit: 'ops',
      queries: [
        { expr: `rate(rollcall_dns_truncated_total{$}[${RATE}])`, legend: '{{instance}} truncated' },
        { expr: `rate(rollcall_dns_dropped_total{$}[${RATE}])`, legend: '{{instance}} dropped' },
      ],
    },
    {
      title: 'DNS connections',
      about: 'Open TCP connections of DNS clients.',
      width: 6,
      unit: 'short',
      queries: [{ expr: 'rollcall_dns_connections{$}', legend: '{{instance}}' }],
    },
  ],
}
