/** How a bridge does, in numbers for Prometheus. */
import type { Clock } from '../clock.js'
import type { DirectionState } from './direction.js'
import type { BridgeReport } from './report.js'

export interface BridgeFigures extends BridgeReport {
  /** All of it in Prometheus' text format (version 0.0.4). */
  render(): string
}

/** Names, with what they say. Labels are kinds of registries: few. */
const FIGURES = {
  rollcall_bridge_registry_up: ['gauge', 'Whether the registry answered when it was asked last.'],
  rollcall_bridge_failures_total: ['counter', 'Requests of a registry that failed.'],
  rollcall_bridge_rounds_total: ['counter', 'Rounds that were begun, whatever the registries answered.'],
  rollcall_bridge_last_round_timestamp_seconds: ['gauge', 'When the last one began.'],
  rollcall_bridge_instances: [
    'gauge',
    'Instances of a direction: mirrored; at_home in both; left_out, refused by the target; kept although not listed.',
  ],
} as const
type FigureName = keyof typeof FIGURES

export function createFigures(clock: Pick<Clock, 'wallNow'>): BridgeFigures {
  const values = new Map<FigureName, Map<string, number>>()
  const set = (name: FigureName, value: number, labels = ''): void => {
    const series = values.get(name) ?? new Map<string, number>()
    values.set(name, series.set(labels, value))
  }
  const add = (name: FigureName, by: number, labels = ''): void =>
    set(name, (values.get(name)?.get(labels) ?? 0) + by, labels)
  return {
    round() {
      add('rollcall_bridge_rounds_total', 1)
      set('rollcall_bridge_last_round_timestamp_seconds', clock.wallNow() / 1_000)
    },
    side(kind, error) {
      const labels = `{registry="${kind}"}`
      set('rollcall_bridge_registry_up', error === undefined ? 1 : 0, labels)
      add('rollcall_bridge_failures_total', error === undefined ? 0 : 1, labels)
    },
    direction(from, to, state) {
      for (const [what, value] of countsOf(state))
        set('rollcall_bridge_instances', value, `{from="${from}",to="${to}",what="${what}"}`)
    },
    ended: () => undefined,
    render() {
      const lines: string[] = []
      for (const [name, series] of values) {
        const [type, help] = FIGURES[name]
        lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
        for (const [labels, value] of series) lines.push(`${name}${labels} ${value}`)
      }
      return `${lines.join('\n')}\n`
    },
  }
}

function countsOf(state: DirectionState): readonly (readonly [string, number])[] {
  const { mirrored, atHome, leftOut, refused, kept } = state
  return [
    ['mirrored', mirrored],
    ['at_home', atHome],
    ['left_out', leftOut],
    ['refused', refused],
    ['kept', kept],
  ]
}
