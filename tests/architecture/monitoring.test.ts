/** Alerts, dashboard and documents speak of metrics that a node has, and of each other's parts by their names. */
import { METRICS, type MetricInfo } from '@rollcall/core'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { brokenLinks } from './repository-rules.js'
import { listFiles, read } from './source-files.js'

const ALERTS = 'operations/prometheus/alerts.yaml'
const TESTS = 'operations/prometheus/rules-test.yaml'
const DASHBOARD = 'operations/grafana/rollcall.json'
const PAGE = 'docs/operating/monitoring.md'

interface Alert {
  readonly alert: string
  readonly expr: string
  readonly labels: { readonly severity: string }
  readonly annotations: Readonly<Record<string, string>>
}

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly datasource?: { readonly uid: string }
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[]
}

const alerts = (parse(read(ALERTS)) as { groups: { rules: Alert[] }[] }).groups.flatMap(({ rules }) => rules)
const { panels } = JSON.parse(read(DASHBOARD)) as { panels: Panel[] }

/** Bridges are no nodes, and have a few figures of their own. */
const BRIDGE = new Set(
  read('packages/cli/src/bridge/figures.ts').match(/(?<=^ {2})rollcall_bridge_\w+(?=:)/gm),
)

/** Names of metrics in a text that neither a node has nor a bridge. */
function strange(text: string): string[] {
  const named = text.match(/(?<![\w$])(rollcall|process|nodejs)_[a-z][a-z0-9_]+/g) ?? []
  return [...new Set(named)].filter((name) => {
    if (BRIDGE.has(name)) return false
    const family = name.replace(/_(bucket|sum|count)$/, '')
    const { kind } = (METRICS as Record<string, MetricInfo>)[family] ?? {}
    return !(kind === 'histogram' && family !== name) && !Object.hasOwn(METRICS, name)
  })
}

describe('the names of metrics', () => {
  it('in documents and operations are those of the catalogue, or of bridges', () => {
    expect(BRIDGE.size).toBe(5)
    const files = listFiles().filter(
      (path) => /\.(md|yaml|yml|json)$/.test(path) && /^(docs|operations|packaging)\//.test(path),
    )
    expect(files).toEqual(expect.arrayContaining([ALERTS, TESTS, DASHBOARD, PAGE]))
    const pages = files.filter((path) => !/^docs\/(results\/|reference\/sdk)/.test(path))
    expect(pages.flatMap((path) => strange(read(path)).map((name) => `${path}: ${name}`))).toEqual([])
  })

  it('and a strange one is found', () => {
    const text =
      'rollcall_gone > 0 and rollcall_services_bucket or process_start_time_seconds{job="rollcall"}'
    expect(
      strange(`${text} rollcall_command_duration_seconds_bucket __meta_rollcall_id rollcall_ready`),
    ).toEqual(['rollcall_gone', 'rollcall_services_bucket'])
  })
})

describe('alerts', () => {
  it.each(alerts.map((alert) => [alert.alert, alert] as const))(
    '%s says what it means and what to do',
    (name, alert) => {
      expect(['critical', 'warning', 'info']).toContain(alert.labels.severity)
      const { summary, description, runbook, ...others } = alert.annotations
      expect([summary, description].map((text) => text?.length ?? 0).every((length) => length > 10)).toBe(
        true,
      )
      expect(others).toEqual({})
      expect(runbook).toBe(`${PAGE}#${name.toLowerCase()}`)
      expect(
        brokenLinks('page.md', `[runbook](${runbook})`, (path) => (path === PAGE ? read(PAGE) : false)),
      ).toEqual([])
    },
  )

  it('all have an entry in the page, and the page has no other', () => {
    const headings = [...read(PAGE).matchAll(/^### (\w+)$/gm)].map(([, name]) => name)
    expect(headings).toEqual(alerts.map(({ alert }) => alert))
    for (const part of read(PAGE).split(/^### /m).slice(1))
      expect(part, part.slice(0, 40)).toMatch(
        /^\w+\n\n\*\*Means\*\* [^]*\n\n\*\*Look\*\* [^]*\n\n\*\*Do\*\* /,
      )
  })

  it('are each seen to ring by a test', () => {
    const ringing = [...read(TESTS).matchAll(/labels: '\{alertname="(\w+)"\}', value: 1/g)].map(
      ([, name]) => name,
    )
    expect(ringing.toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted())
  })
})

describe('the dashboard', () => {
  it('has panels with a title, an explanation and queries, each bounded to the chosen nodes', () => {
    for (const { type, title, description, datasource, targets } of panels) {
      if (type === 'row') continue
      expect([title, description?.endsWith('.')]).toEqual([title, true])
      expect(datasource?.uid).toBe('${datasource}')
      expect(targets?.length, title).toBeGreaterThan(0)
      for (const target of targets ?? []) {
        expect(target.datasource.uid).toBe('${datasource}')
        const selectors = target.expr.match(/(?<=(rollcall|process|nodejs)_[a-z][a-z0-9_]+)\{[^}]*/g) ?? []
        expect(selectors.length, target.expr).toBeGreaterThan(0)
        for (const selector of selectors) expect(selector).toMatch(/^\{job="\$job",instance=~"\$instance"/)
      }
    }
  })

  it('has them in their places, none over another', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const taken = new Map<string, string>()
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.get(`${x}/${y}`), title).toBeUndefined()
          taken.set(`${x}/${y}`, title)
        }
    }
  })

  it('shows every metric but those of the build', () => {
    const shown = panels
      .flatMap(({ targets }) => targets ?? [])
      .map(({ expr }) => expr)
      .join(' ')
    const hidden = Object.keys(METRICS).filter((name) => !shown.includes(name))
    // CPU is shown by its two parts, which add up to it; the median of the loop tells nothing that its mean does not.
    expect(hidden).toEqual([
      'rollcall_budget_faults_total',
      'process_cpu_seconds_total',
      'nodejs_heap_size_total_bytes',
      'nodejs_eventloop_lag_p50_seconds',
    ])
  })
})
