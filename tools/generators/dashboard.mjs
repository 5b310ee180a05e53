/** operations/grafana/rollcall.json: the dashboard, from the list of its panels in dashboard-panels.mjs. */
import { SECTIONS } from './dashboard-panels.mjs'

/** Columns of Grafana's grid. */
const COLUMNS = 24
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' }
/** What each query is bounded to; `$` of the panels' expressions. */
const SELECTOR = 'job="$job",instance=~"$instance"'

/** The expression as Grafana sends it: `name{$}` and `name{$,label="x"}` are about the chosen nodes. */
function bound(expr) {
  return expr.replaceAll('{$', `{${SELECTOR}`)
}

function targetsOf({ queries }, instant) {
  return queries.map(({ expr, legend = '{{instance}}', format }, index) => ({
    datasource: DATASOURCE,
    editorMode: 'code',
    expr: bound(expr),
    legendFormat: legend,
    refId: String.fromCodePoint(65 + index),
    ...(instant ? { instant: true, range: false } : { range: true }),
    ...(format === undefined ? {} : { format }),
  }))
}

/** Colours by value: [[from, colour], ...], the first from the beginning. */
function thresholds(steps = [[null, 'green']]) {
  return { mode: 'absolute', steps: steps.map(([value, color]) => ({ color, value })) }
}

const TYPES = {
  /** Lines over time. */
  timeseries: ({ unit, stack = false, max, steps }) => ({
    type: 'timeseries',
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        ...(max === undefined ? {} : { max }),
        color: { mode: 'palette-classic' },
        thresholds: thresholds(steps),
        custom: {
          drawStyle: 'line',
          lineWidth: 1,
          fillOpacity: stack ? 30 : 8,
          showPoints: 'never',
          spanNulls: false,
          stacking: { mode: stack ? 'normal' : 'none', group: 'A' },
          thresholdsStyle: { mode: steps === undefined ? 'off' : 'line' },
        },
      },
      overrides: [],
    },
    options: {
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  }),
  /** One figure, now. */
  stat: ({ unit, steps, mappings = [] }) => ({
    type: 'stat',
    fieldConfig: {
      defaults: { unit, mappings, color: { mode: 'thresholds' }, thresholds: thresholds(steps) },
      overrides: [],
    },
    options: {
      colorMode: steps === undefined ? 'none' : 'value',
      graphMode: 'none',
      justifyMode: 'auto',
      orientation: 'auto',
      textMode: 'auto',
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    },
  }),
  /** A bar for each series, now. */
  bargauge: ({ unit, steps, max = 1 }) => ({
    type: 'bargauge',
    fieldConfig: {
      defaults: { unit, min: 0, max, color: { mode: 'thresholds' }, thresholds: thresholds(steps) },
      overrides: [],
    },
    options: {
      displayMode: 'basic',
      orientation: 'horizontal',
      showUnfilled: true,
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    },
  }),
  /** A row for each series, now: its labels. */
  table: ({ columns }) => ({
    type: 'table',
    fieldConfig: { defaults: {}, overrides: [] },
    options: { showHeader: true, cellHeight: 'sm' },
    transformations: [{ id: 'filterFieldsByName', options: { include: { names: columns } } }],
  }),
}

/** Panels with their places: rows of the grid from the left, then a title line for the next section. */
function panels() {
  const all = []
  let y = 0
  const add = (panel) => all.push({ id: all.length + 1, ...panel })
  for (const { title, height, panels: own } of SECTIONS) {
    add({ type: 'row', title, collapsed: false, gridPos: { h: 1, w: COLUMNS, x: 0, y }, panels: [] })
    y += 1
    let x = 0
    for (const panel of own) {
      const { kind = 'timeseries', title: name, about, width = 8 } = panel
      if (x + width > COLUMNS) {
        x = 0
        y += height
      }
      const { fieldConfig, options, ...rest } = TYPES[kind](panel)
      add({
        ...rest,
        title: name,
        description: about,
        datasource: DATASOURCE,
        gridPos: { h: height, w: width, x, y },
        fieldConfig,
        options,
        targets: targetsOf(panel, kind !== 'timeseries'),
      })
      x += width
    }
    y += height
  }
  return all
}

function query(name, label, expr, more) {
  return {
    name,
    label,
    type: 'query',
    datasource: DATASOURCE,
    definition: expr,
    query: { query: expr, refId: name },
    refresh: 2,
    sort: 1,
    ...more,
  }
}

/** The text of the file. */
export function dashboard() {
  const board = {
    title: 'Rollcall',
    uid: 'rollcall',
    description:
      'Rollcall nodes: what runs, health, traffic, latency, durability, memory and budgets, guards.',
    tags: ['rollcall'],
    editable: true,
    graphTooltip: 1,
    schemaVersion: 39,
    version: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    timepicker: {},
    timezone: '',
    links: [],
    annotations: {
      list: [
        {
          name: 'Node began',
          datasource: DATASOURCE,
          enable: true,
          iconColor: 'blue',
          expr: bound('changes(process_start_time_seconds{$}[2m]) > 0'),
          titleFormat: '{{instance}} began',
        },
        {
          name: 'Frozen',
          datasource: DATASOURCE,
          enable: true,
          iconColor: 'light-blue',
          expr: bound('rollcall_frozen_namespaces{$} > 0'),
          titleFormat: '{{instance}}: a freeze stands',
        },
      ],
    },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
        query('job', 'Job', 'label_values(rollcall_build_info, job)', { multi: false, includeAll: false }),
        query('instance', 'Node', 'label_values(rollcall_build_info{job="$job"}, instance)', {
          multi: true,
          includeAll: true,
          allValue: '.*',
          current: { selected: true, text: ['All'], value: ['$__all'] },
        }),
      ],
    },
    panels: panels(),
  }
  return `${JSON.stringify(board, null, 2)}\n`
}
