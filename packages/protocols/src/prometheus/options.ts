/** Settings of the Prometheus adapter, each with its default and the reason for it. */

/** What may be set; everything has a default. */
export interface PrometheusOptions {
  /** Host names, beside addresses and `localhost`, under which Prometheus may call the node. Default none. */
  readonly allowedHosts?: readonly string[]
  /** Names of services that are read at a time. Default 1,000: some milliseconds of one turn. */
  readonly servicesMax?: number
  /** How long Prometheus may take nothing of an answer. Default 60,000: its own refresh interval, after which it gives up. */
  readonly stalledMsMax?: number
}

/** The settings with every default filled in. */
export function resolveOptions(options: PrometheusOptions): Required<PrometheusOptions> {
  return { allowedHosts: [], servicesMax: 1_000, stalledMsMax: 60_000, ...options }
}
